// What the set-up of a run hands on to the test files: plain values, since they cross to other processes.

/** A real Kubernetes API that may be used. */
export interface RealKubernetes {
  /** A kubeconfig file of an administrator. */
  readonly kubeconfig: string
  /** The bearer token of the functions' user; without one that user is impersonated. */
  readonly functionToken?: string
  /** Namespace of this run alone, and the name of its installation: its Leases are `<namespace>-<loop>`. */
  readonly namespace: string
  /** Whether sessions may be created, expired and deleted everywhere in it; else a sentence that says why not. */
  readonly sessions: true | string
}

/** A real DynamoDB endpoint that may be used. */
export interface RealDynamodb {
  readonly url: string
}

/** A real Keycloak that may be used. */
export interface RealKeycloak {
  /** Without a slash at its end. */
  readonly url: string
  /** Of `administrator` in the realm `master`. */
  readonly password: string
}

/** The servers of a run; one that is left out is a sentence that says why. */
export interface RealServers {
  readonly kubernetes: RealKubernetes | string
  readonly dynamodb: RealDynamodb | string
  readonly keycloak: RealKeycloak | string
}

declare module 'vitest' {
  interface ProvidedContext {
    realServers: RealServers
  }
}
