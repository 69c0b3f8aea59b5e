package trial

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"clientvpn-responder/internal/emulator"
)

// Environment returns the handler's settings, with a short watch: the clients of the small company come back quickly.
func Environment(url, policyPath, mode string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"TOPIC_ARN=" + topic, "MESSAGE_TOPIC_ARN=" + mail, "CHAT_TOPIC_ARN=" + chat, "POLICY_FILE=" + policyPath,
		"MODE=" + mode, "WATCH=1s", "IDENTITY_STORE_ID=" + store, "SCIM_ISSUERS=entra=" + scim, "LEDGER_TABLE=" + Table,
	}
}

// stage is the function in a cloud of its own, whose endpoints ask the client connect handler.
type stage struct {
	cloud    *emulator.Cloud
	function *emulator.Function
	guard    *door
	stop     func()
}

// newStage starts the function in the cloud. Its close ends all of it.
func newStage(ctx context.Context, cloud *emulator.Cloud, binary, policyFile, mode string) (*stage, error) {
	policyPath, err := filepath.Abs(policyFile)
	if err != nil {
		return nil, err
	}
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return nil, err
	}
	env := Environment(url, policyPath, mode)
	s := &stage{cloud: cloud, stop: stop, guard: newDoor(binary, env)}
	cloud.ConnectHandler = s.guard.ask
	if s.function, err = emulator.Start(ctx, binary, env); err != nil {
		s.guard.close()
		stop()
		return nil, err
	}
	return s, nil
}

func (s *stage) close() {
	s.function.Close()
	s.guard.close()
	s.stop()
}

// door is the client connect handler of the company's endpoints. It is started when somebody connects first.
type door struct {
	binary string
	env    []string

	// The stand-in asks for each connection in a goroutine of its own, and a function answers one request at a time.
	mu       sync.Mutex
	function *emulator.Function
}

func newDoor(handler string, env []string) *door {
	return &door{binary: filepath.Join(filepath.Dir(handler), connectBinary), env: env}
}

// ask is the cloud's ConnectHandler.
func (d *door) ask(ctx context.Context, request []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.function == nil {
		function, err := emulator.Start(ctx, d.binary, d.env)
		if err != nil {
			return nil, err
		}
		d.function = function
	}
	answer, err := d.function.Invoke(ctx, request)
	if err == nil && answer.Failure != nil {
		err = errors.New(answer.Failure.Message)
	}
	return answer.Payload, err
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.function != nil {
		d.function.Close()
	}
}
