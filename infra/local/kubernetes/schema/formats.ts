// The `format`s a kube-apiserver checks on strings. A format it does not know is not checked, there as here.
import { parseGoTime } from './times.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const GO_DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/

const CHECKS: Record<string, (text: string) => boolean> = {
  'date-time': text => isDateTime(text),
  date: text => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDateTime(`${text}T00:00:00Z`),
  byte: text => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  uuid: text => UUID.test(text),
  duration: text => GO_DURATION.test(text),
  ipv4: text => IPV4.test(text),
  email: text => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: text => URL.canParse(text),
  hostname: text => /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/i.test(text) && text.length <= 255,
}

/** Whether `text` has that format; formats without a check always fit. */
export const fitsFormat = (format: string, text: string): boolean => CHECKS[format]?.(text) ?? true

function isDateTime(text: string): boolean {
  try {
    parseGoTime(
      text.replace(/[zt]/g, letter => letter.toUpperCase()),
      false,
    )
    return true
  } catch {
    return false
  }
}
