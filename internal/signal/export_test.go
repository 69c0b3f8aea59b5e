package signal

// EventType is a row of what is known of the providers' event types.
type EventType struct {
	Provider, Source, Type string
	Kind                   Kind
	Note                   string
}

// EventTypes lists all rows, in the order of the providers.
func EventTypes() []EventType {
	var all []EventType
	for _, p := range providers {
		for _, m := range p.known {
			all = append(all, EventType{p.name, p.source, m.eventType, m.kind, m.note})
		}
	}
	return all
}

// Cut, ReadFinding and ParseUncut let tests compare what is cut with what is not.
var (
	Cut         = cut
	ReadFinding = readFinding
	ParseUncut  = func(raw []byte) ([]Signal, error) { return parse(raw, nil) }
)

// DecodeFinding is readFinding without a cut.
func DecodeFinding(detail []byte) (finding, error) {
	var f finding
	return f, decode("detail", detail, &f)
}
