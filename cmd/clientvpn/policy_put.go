package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"
	"clientvpn-responder/internal/stack"
	"clientvpn-responder/internal/trial"

	"github.com/spf13/cobra"
)

func (t *tool) policyPut() *cobra.Command {
	var cases string
	command := &cobra.Command{
		Use: "put [FILE]", Short: "Check your policy, and put it where the functions read it",
		Long: `Check a policy and its test cases, and put it where the deployed functions read
it, with its file of aliases. They use it within a minute. FILE is policy.yaml
if absent. The exit code is 1, and nothing is put, if the policy has a mistake,
a case differs, or somebody else has changed the policy meanwhile.`,
		Example: `  clientvpn policy put
  clientvpn policy put company/policy.yaml --cases company/cases`,
		Args: takes(0, 1),
		RunE: func(command *cobra.Command, files []string) error {
			file := policyFile
			if len(files) > 0 {
				file = files[0]
			}
			return t.put(command.Context(), file, cases)
		},
	}
	command.Flags().StringVar(&cases, "cases", "cases", "the `folder` of test cases; skipped where it does not exist")
	return command
}

func (t *tool) put(ctx context.Context, file, cases string) error {
	text, beside, err := readPolicy(file)
	if err != nil {
		return err
	}
	if err := t.checkFirst(file, cases); err != nil {
		return err
	}
	store, err := t.openPolicy(ctx)
	if err != nil {
		return err
	}
	before, err := store.Get(ctx)
	if err != nil && !errors.Is(err, policysource.ErrNone) {
		return stack.InOneSentence(err)
	}
	for name, content := range beside {
		if err := store.PutBeside(ctx, name, content); err != nil {
			return stack.InOneSentence(err)
		}
	}
	version, err := store.Put(ctx, before, text)
	if err != nil {
		return stack.InOneSentence(err)
	}
	hash := fmt.Sprintf("sha256:%x", sha256.Sum256(text))
	if t.json {
		return t.printJSON(map[string]string{"policy_hash": hash, "version": version})
	}
	t.Item("", fmt.Sprintf("%s is put (%s). The functions use it within a minute; \"clientvpn status\" shows the hash of "+
		"the one in force.", file, hash))
	return nil
}

// readPolicy reads a policy without a mistake, and the files beside it that it names.
func readPolicy(file string) (text []byte, beside map[string][]byte, err error) {
	if text, err = os.ReadFile(file); err != nil {
		return nil, nil, fmt.Errorf("reading the policy: %w", err)
	}
	beside = map[string][]byte{}
	_, err = policy.ParseWith(file, text, func(name string) ([]byte, error) {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(file), name))
		beside[name] = content
		return content, err
	})
	return text, beside, err
}

// checkFirst runs the policy's test cases. It prints them only if one differs.
func (t *tool) checkFirst(file, cases string) error {
	if _, err := os.Stat(cases); err != nil {
		return nil //nolint:nilerr // there are no cases
	}
	var printed bytes.Buffer
	if err := trial.Check(t.To(&printed), []string{cases}, trial.CheckOptions{Policy: file}); err != nil {
		fmt.Fprint(t.Err, &printed)
		return fmt.Errorf("not put: %w", err)
	}
	return nil
}

// openPolicy opens the place from which the deployed function reads its policy.
func (t *tool) openPolicy(ctx context.Context) (*policysource.Store, error) {
	s, at, err := t.locatePolicy(ctx)
	if err != nil {
		return nil, err
	}
	return policysource.Open(s.Config, at), nil
}

// locatePolicy returns from where the deployed function reads its policy.
func (t *tool) locatePolicy(ctx context.Context) (s *stack.Stack, at policysource.Location, err error) {
	if s, err = t.open(ctx); err != nil {
		return s, at, err
	}
	settings, err := s.Settings(ctx)
	if err != nil {
		return s, at, err
	}
	if settings["POLICY_SOURCE"] == "" {
		return s, at, errors.New("the deployed function reads its policy from the package; deploy to change it")
	}
	at, err = policysource.ParseLocation(settings["POLICY_SOURCE"])
	return s, at, err
}

// whoseNames is what the flag --policy says where the policy is only read.
const whoseNames = "the policy `file`, which knows whose names are whose; if absent, policy.yaml here, or else the " +
	"deployed policy"

// rules reads the policy in a file. Without a name it is policy.yaml, or else the one that is deployed: a person who is
// woken at night has no file at hand.
func (t *tool) rules(ctx context.Context, file string) (*policy.Policy, error) {
	rules, err := policy.Load(cmp.Or(file, policyFile))
	if file != "" || !errors.Is(err, fs.ErrNotExist) {
		return rules, err
	}
	s, at, err := t.locatePolicy(ctx)
	if err != nil {
		return nil, err
	}
	deployed := policysource.New(s.Config, at, policyFile).InForce(ctx)
	if deployed.Err != nil {
		return nil, stack.InOneSentence(deployed.Err)
	}
	return deployed.Policy, nil
}
