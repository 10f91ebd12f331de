// Which names, labels, annotations and keys a kube-apiserver accepts, with its words for those it does not.

const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const CONFIG_KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

const tooLong = (most: number) => `must be no more than ${most} characters`

/** Why `name` is no DNS subdomain (most kinds' names); empty when it is one. */
export function subdomainErrors(name: string): string[] {
  const errors = name.length > 253 ? [tooLong(253)] : []
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
    ? errors
    : [...errors, SUBDOMAIN]
}

/** Why `name` is no DNS label (a Namespace's name); empty when it is one. */
export function labelErrors(name: string): string[] {
  if (name.includes('.')) return ['must not contain dots']
  const errors = name.length > 63 ? [tooLong(63)] : []
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) ? errors : [...errors, LABEL]
}

/** Why `name` is no qualified name (`[prefix/]name`); empty when it is one. */
export function qualifiedErrors(name: string): string[] {
  const parts = name.split('/')
  const errors: string[] = []
  if (parts.length > 2) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const [prefix, local] = parts.length === 2 ? parts : [undefined, parts[0]]
  if (prefix === '') errors.push('prefix part must be non-empty')
  else if (prefix !== undefined) errors.push(...subdomainErrors(prefix).map(error => `prefix part ${error}`))
  if (local === '') errors.push('name part must be non-empty')
  else if ((local ?? '').length > 63) errors.push(`name part ${tooLong(63)}`)
  if (!/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(local ?? '')) errors.push(QUALIFIED)
  return errors
}

/** Why `value` is no label value; empty when it is one. */
export function labelValueErrors(value: string): string[] {
  const errors = value.length > 63 ? [tooLong(63)] : []
  return /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value) ? errors : [...errors, LABEL_VALUE]
}

/** Why `key` is no key of a ConfigMap's or Secret's data; empty when it is one. */
export function configKeyErrors(key: string): string[] {
  if (key.length > 253) return [tooLong(253)]
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) return [CONFIG_KEY]
  if (key === '.') return ["must not be '.'"]
  if (key === '..') return ["must not be '..'"]
  return key.startsWith('..') ? ["must not start with '..'"] : []
}
