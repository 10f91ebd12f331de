// What people can choose about the loop.

/** Settings of status-sync. */
export interface StatusSyncSettings {
  /**
   * What becomes of a group that is found empty, or gone, by two whole passes running.
   *
   * `lock`  it is written as empty: nobody of it may approve
   * `keep`  its last members stay
   */
  readonly emptyGroups: 'lock' | 'keep'
  /** Whether members whose account is disabled are left out. */
  readonly disabledUsers: 'drop' | 'keep'
}

/** The settings where nobody chose any. */
export const DEFAULT_SETTINGS: StatusSyncSettings = { emptyGroups: 'lock', disabledUsers: 'drop' }
