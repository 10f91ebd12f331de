// The kubeconfig library as a chunk of its own, loaded only where a kubeconfig is used: it costs some 90 ms of cold start.
// Nothing but the library may be in here: a chunk that carried classes of ours would carry second copies of them.

export { KubeConfig } from '@kubernetes/client-node'
