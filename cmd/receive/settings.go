package main

import (
	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
)

// settings is the environment, read and found sound.
type settings struct {
	doors    []door.Door
	queueURL string
	table    string
}

type setting = lambdaenv.Setting[settings]

// environment is what the function reads; doc/doors.md has the same rows.
var environment = []setting{
	{
		Name: "AWS_REGION", Missing: "missing; Lambda sets it, elsewhere name the Region of the queue",
		Parse: func(*settings, string) error { return nil }, // the SDK's configuration reads it
	},
	{
		Name: "DOORS", Doc: "the doors, as JSON", Absent: "error", Missing: "missing; describe the doors in JSON",
		Parse: func(s *settings, value string) (err error) {
			s.doors, err = door.Read(value)
			return err
		},
	},
	{
		Name: "EVENT_QUEUE_URL", Doc: "SQS queue that the responder reads", Absent: "error",
		Missing: "missing; name the queue that events go to",
		Parse:   lambdaenv.Text(func(s *settings) *string { return &s.queueURL }, lambdaenv.QueueURL),
	},
	{
		Name: "LEDGER_TABLE", Doc: "DynamoDB table of the ledger, for tokens that are good once", Absent: "error",
		Missing: "missing; name the DynamoDB table of the ledger",
		Parse:   lambdaenv.Text(func(s *settings) *string { return &s.table }, ledger.CheckName),
	},
}
