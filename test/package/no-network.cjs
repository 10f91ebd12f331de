// Preloaded into a process that must get by without network: looking up a name or opening a connection throws.

const dns = require('node:dns')
const net = require('node:net')

const refuse = (...words) => {
  throw new Error(`there is no network here: ${JSON.stringify(words[0])}`)
}
dns.lookup = refuse
dns.promises.lookup = refuse
net.Socket.prototype.connect = refuse
