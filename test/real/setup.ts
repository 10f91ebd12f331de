// Before the first test file: real servers are had and started, or those that are given are taken; after the last one they
// are stopped. What cannot be had on this machine is left out, and said to be; with CI set that is a failure.

import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openCleanups } from '../../infra/local/world/cleanups.ts'
import { dynamodbJars, startDynamodbLocal } from './servers/dynamodb.ts'
import { keycloakFolder, startKeycloakServer } from './servers/keycloak.ts'
import { startKubernetes } from './servers/kubernetes.ts'
import { kubernetesBinaries } from './servers/kubernetes-binaries.ts'
import { GO, JAVA, MAVEN, whyNot } from './servers/tools.ts'
import { FUNCTION_USER, prepareCluster } from './world/cluster.ts'
import type { RealServers } from './world/provided.ts'

const cleanups = openCleanups()

/** Starts what the run needs; the result stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const servers: RealServers = {
      kubernetes: await kubernetes(),
      dynamodb: await dynamodb(),
      keycloak: await keycloak(),
    }
    project.provide('realServers', servers)
    const leftOut = Object.values(servers).filter(server => typeof server === 'string')
    for (const sentence of leftOut) say(sentence)
    if (leftOut.length > 0 && process.env.CI === 'true') throw new Error(leftOut.join('; '))
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}

async function stop(): Promise<void> {
  for (const failure of await cleanups.run()) say(`could not be ended: ${failure}`)
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

async function kubernetes(): Promise<RealServers['kubernetes']> {
  if (process.env.KUBECONFIG) return await theirs(process.env.KUBECONFIG)
  const missing = process.env.KUBEBUILDER_ASSETS ? undefined : await whyNot(GO)
  if (missing) return `Kubernetes is left out: ${missing}; KUBEBUILDER_ASSETS or KUBECONFIG would do as well`
  const binaries = await kubernetesBinaries()
  await access(join(binaries, 'kube-apiserver'), constants.X_OK)
  const server = await startKubernetes(binaries, [FUNCTION_USER])
  cleanups.add('kube-apiserver', () => server.stop())
  // All of it goes with the server.
  return (await prepareCluster(server.kubeconfig, server.tokens[FUNCTION_USER])).kubernetes
}

async function theirs(kubeconfig: string): Promise<RealServers['kubernetes']> {
  const cluster = await prepareCluster(kubeconfig)
  cleanups.add(`namespace ${cluster.kubernetes.namespace}`, () => cluster.remove())
  say(`KUBECONFIG is set: its cluster is used, in the namespace ${cluster.kubernetes.namespace} of this run alone`)
  return cluster.kubernetes
}

async function dynamodb(): Promise<RealServers['dynamodb']> {
  if (process.env.DYNAMODB_ENDPOINT) return { url: process.env.DYNAMODB_ENDPOINT }
  const missing = (await whyNot(JAVA)) ?? (await whyNot(MAVEN))
  if (missing) return `DynamoDB is left out: ${missing}; DYNAMODB_ENDPOINT would do as well`
  const server = await startDynamodbLocal(await dynamodbJars())
  cleanups.add('DynamoDB Local', () => server.stop())
  return { url: server.url }
}

async function keycloak(): Promise<RealServers['keycloak']> {
  const missing = (await whyNot(JAVA)) ?? (await whyNot(MAVEN))
  if (missing) return `Keycloak is left out: ${missing}`
  const server = await startKeycloakServer(await keycloakFolder())
  cleanups.add('Keycloak', () => server.stop())
  return { url: server.url, password: server.password }
}
