// The functions' place in a VPC, from the parameters subnetIds and securityGroupIds (comma-separated): at least two
// subnets, so that the loss of a zone costs no tick. Without subnets, no VPC.

module.exports = async ({ resolveVariable }) => {
  const [subnetIds, securityGroupIds] = await Promise.all(
    ['subnetIds', 'securityGroupIds'].map(async name => split(await resolveVariable(`param:${name}`))),
  )
  if (subnetIds.length === 1) throw new Error('subnetIds: name at least two subnets, in two availability zones')
  if (subnetIds.length > 0 !== securityGroupIds.length > 0)
    throw new Error('subnetIds and securityGroupIds: give both, or neither')
  return { subnetIds, securityGroupIds }
}

function split(ids) {
  return String(ids)
    .split(',')
    .map(id => id.trim())
    .filter(Boolean)
}
