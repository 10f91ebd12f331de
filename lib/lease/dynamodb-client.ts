// The DynamoDB client as a chunk of its own, loaded only where the DynamoDB lease is chosen. Nothing but the library may
// be in here: a chunk that carried classes of ours would carry second copies of them.

export {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
