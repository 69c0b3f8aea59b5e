// Package schema checks outcomes against their public contract, doc/outcome.schema.json.
//
// It promises to find that file from anywhere in the repository. It is for tests and the local tool, and is never
// linked into the handler.
package schema

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check returns an error that says what is wrong with an outcome's JSON form. A nil error means that it is valid.
func Check(outcome []byte) error {
	schema, err := compiled()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(outcome))
	if err != nil {
		return fmt.Errorf("reading the outcome: %w", err)
	}
	return schema.Validate(value)
}

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	for ; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return nil, errors.New("no go.mod here or above; run it within the repository")
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(filepath.Join(root, "doc", "outcome.schema.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return schema, nil
})
