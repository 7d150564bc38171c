package check

import "reflect"

// Option adds to what a comparison says or knows.
type Option func(*settings)

type settings struct {
	at       string // the test and the function that is compared
	why      string
	mistakes []mistake
	known    []known
	given    []given
	step     float64

	// of Independent
	inPlace   []string
	anyAnswer bool
	opaque    []reflect.Type
}

type mistake struct {
	value any
	says  string
}

type known struct {
	name   string
	values block
}

type given struct {
	name             string
	passed, original any
	kept             bool
}

func settle(opts []Option) *settings {
	s := &settings{step: 1e-5}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Why gives the reason for the wanted value. It is printed on failure.
func Why(text string) Option { return func(s *settings) { s.why = text } }

// Mistake names a mistake by the value, of want's type, that it would give. says begins with what the learner did: "you divided by n−1: …".
// The comparison fails, also where got is right, if value lies within 100 tolerances of want or of another
// mistake's value: a name must never be ambiguous.
func Mistake(value any, says string) Option {
	return func(s *settings) { s.mistakes = append(s.mistakes, mistake{value, says}) }
}

// Known names values, []float64 with one value a column, that a general mistake may have forgotten or applied twice: "γ" of batch norm.
func Known(name string, values []float64) Option {
	return func(s *settings) { s.known = append(s.known, known{name, block{[]int{len(values)}, values}}) }
}

// With prints an argument on failure.
func With(name string, value any) Option {
	return func(s *settings) { s.given = append(s.given, given{name: name, original: value}) }
}

// Kept prints an argument on failure, and fails if the call changed it: passed is what the call was given,
// original a copy made before.
func Kept(name string, passed, original any) Option {
	return func(s *settings) { s.given = append(s.given, given{name, passed, original, true}) }
}

// Step sets the h of [Gradient]'s central differences. Without it h is 1e-5, right for inputs of order 1.
func Step(h float64) Option { return func(s *settings) { s.step = h } }
