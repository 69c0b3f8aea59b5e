// Command empty is a Lambda function that does nothing, to measure others against.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() error { return nil }) }
