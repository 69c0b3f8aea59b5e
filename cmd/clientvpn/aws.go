package main

import (
	"context"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/stack"
)

// open finds the stack that the flag --stack names, or the only one.
func (t *tool) open(ctx context.Context) (*stack.Stack, error) { return stack.Open(ctx, t.stack) }

// openLedger opens the table that was named, or else the stack's.
func (t *tool) openLedger(ctx context.Context, table string) (*ledger.Table, error) {
	if table != "" {
		cfg, err := stack.Configure(ctx)
		if err != nil {
			return nil, err
		}
		return ledger.New(cfg, table), nil
	}
	s, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	return ledgerOf(s)
}

// ledgerOf opens the stack's ledger.
func ledgerOf(s *stack.Stack) (*ledger.Table, error) {
	table, err := s.Output("LedgerTableName")
	if err != nil {
		return nil, err
	}
	return ledger.New(s.Config, table), nil
}
