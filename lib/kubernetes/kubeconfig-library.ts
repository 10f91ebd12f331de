// The kubeconfig library as a chunk of its own, loaded only where a kubeconfig is used: it costs some 90 ms of cold start.
// Nothing but the library may be in here: a chunk that carried classes of ours would carry second copies of them.
// `load` is the YAML parser that the library itself uses, so that a text which is checked first is read the same way.

export { KubeConfig } from '@kubernetes/client-node'
export { load } from 'js-yaml'
