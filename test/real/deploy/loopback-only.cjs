// Preloaded into a process that may speak to servers on this machine and to nobody else: looking up a name or opening a
// connection to anywhere else throws.

const dns = require('node:dns')
const net = require('node:net')

const isOwn = host => host === undefined || ['127.0.0.1', '::1', 'localhost'].includes(host)
const refuse = host => {
  throw new Error(`only this machine can be reached here, not ${host}`)
}
const { lookup } = dns
dns.lookup = (host, ...rest) => (isOwn(host) ? lookup(host, ...rest) : refuse(host))
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...words) {
  const [first] = [words[0]].flat()
  const host = typeof first === 'object' && first !== null ? first.host : undefined
  return isOwn(host) ? connect.apply(this, words) : refuse(host)
}
