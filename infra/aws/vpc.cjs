// The functions' place in a VPC, from the comma-separated parameters subnetIds and securityGroupIds; empty lists take
// them out of any VPC.

module.exports = async ({ resolveVariable }) => {
  const listOf = async name => String(await resolveVariable(`param:${name}`)).match(/[^,\s]+/g) ?? []
  return { subnetIds: await listOf('subnetIds'), securityGroupIds: await listOf('securityGroupIds') }
}
