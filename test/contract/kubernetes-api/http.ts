// How the contract speaks to a server.

/** An answer; `body` is parsed JSON where it is JSON, else the text. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, looked at field by field
  body: any
  text: string
}

/** Sends one request with administrator's rights; `body` is sent as JSON unless it is a string. */
export type Request = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** A server to run the suite over. */
export interface OpenApi {
  request: Request
  close: () => Promise<void>
}
