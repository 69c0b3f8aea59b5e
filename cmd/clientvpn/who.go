package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/report"
	"clientvpn-responder/internal/stack"
	"clientvpn-responder/internal/vpn"

	"github.com/spf13/cobra"
)

// connected is a person who is connected, and where.
type connected struct {
	Person      string     `json:"person"`
	Exempt      bool       `json:"exempt,omitempty"`
	Connections []standing `json:"connections"`
}

// standing is one connection, and how a request would name it.
type standing struct {
	vpn.Connection

	Endpoint string  `json:"endpoint,omitempty"`
	Would    vpn.How `json:"would_end_by"`
}

func (t *tool) who() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "who [NAME]", Short: "Show who is connected, where, since when and from where",
		Long: `Show who is connected by the policy's names for people, where, since when, from
which address, and how a request would name each connection to terminate it. It
asks EC2 with your credentials, in their account and Region.`,
		Example: `  clientvpn who
  clientvpn who alice@example.com`,
		Args: takes(0, 1),
		RunE: func(command *cobra.Command, names []string) error {
			rules, err := t.rules(command.Context(), file)
			if err != nil {
				return err
			}
			cfg, err := stack.Configure(command.Context())
			if err != nil {
				return err
			}
			people, err := t.listPeople(command.Context(), vpn.New(cfg, nil), rules)
			if err != nil {
				return stack.InOneSentence(err)
			}
			if len(names) > 0 {
				people = only(people, rules, names[0])
			}
			return t.printPeople(people)
		},
	}
	command.Flags().StringVar(&file, "policy", "", whoseNames)
	return command
}

// listPeople lists every endpoint, and groups the connections by person.
func (t *tool) listPeople(ctx context.Context, v *vpn.VPN, rules *policy.Policy) ([]connected, error) {
	endpoints, err := v.Endpoints(ctx, true)
	if err != nil {
		return nil, err
	}
	byPerson := map[string]*connected{}
	progress := t.Progress("Listing the endpoints", len(endpoints))
	defer progress.Stop()
	for _, e := range endpoints {
		for page, err := range v.Everyone(ctx, e) {
			if err != nil {
				return nil, err
			}
			for _, c := range page {
				p := holder(byPerson, rules, c)
				p.Connections = append(p.Connections, standing{Connection: c, Endpoint: e.DisplayName()})
			}
		}
		progress.Add(1)
	}
	var all []connected
	for _, person := range slices.Sorted(maps.Keys(byPerson)) {
		byPerson[person].plan()
		all = append(all, *byPerson[person])
	}
	return all, nil
}

// holder returns whose connection it is. The policy has no person for one whom it exempts.
func holder(byPerson map[string]*connected, rules *policy.Policy, c vpn.Connection) *connected {
	person, exempt := cmp.Or(c.Username, "certificate "+c.CommonName), true
	if people := rules.People(c.Username, c.CommonName); len(people) > 0 {
		person, exempt = people[len(people)-1], false // of a certificate's, the one that a template found
	}
	if byPerson[person] == nil {
		byPerson[person] = &connected{Person: person, Exempt: exempt}
	}
	return byPerson[person]
}

// plan says how a request would name each connection.
func (p *connected) plan() {
	var all []vpn.Connection
	for _, c := range p.Connections {
		all = append(all, c.Connection)
	}
	ways := vpn.Ways(all)
	for i := range p.Connections {
		p.Connections[i].Would = ways[p.Connections[i].ID]
	}
}

// only returns the person with this name.
func only(people []connected, rules *policy.Policy, name string) []connected {
	mine := rules.People(name, "")
	return slices.DeleteFunc(people, func(p connected) bool {
		return p.Person != name && !slices.Contains(mine, p.Person)
	})
}

func (t *tool) printPeople(people []connected) error {
	connections := 0
	for _, p := range people {
		connections += len(p.Connections)
		if t.json {
			if err := t.printJSON(p); err != nil {
				return err
			}
			continue
		}
		note := ""
		if p.Exempt {
			note = ", exempt: never cut off"
		}
		t.Print("%s%s", t.In(console.Bold, safe(p.Person)), note)
		for _, c := range p.Connections {
			shown := report.Connection{
				Username: c.Username, CommonName: c.CommonName, EndpointID: c.EndpointID, EndpointName: c.Endpoint,
			}
			t.Item("  ", console.Safe(fmt.Sprintf("%s as %s on %s, since %s, from %s; would be terminated by %s",
				c.ID, shown.Who(), shown.Where(), c.EstablishedAt.UTC().Format(time.DateTime),
				cmp.Or(c.ClientIP, "an unknown address"), c.Would)))
		}
	}
	switch {
	case t.json:
	case len(people) == 0:
		t.Print("Nobody is connected.")
	default:
		t.Print("%s, %s.", plural(len(people), "1 person", "%d people"),
			plural(connections, "1 connection", "%d connections"))
	}
	return nil
}
