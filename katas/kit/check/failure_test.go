package check

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a person reads and what a runner reads are the same failure.
func TestFailureIsReportedAsTextAndAsData(t *testing.T) {
	r := &recorder{TB: t}
	x := []float64{1, 2}
	Equal(r, "Sum(x)", 4.0, 3.0, Exact, Why("1 + 2"), With("x", x), Mistake(4.0, "you doubled the last"))
	const text = "Sum(x) = 4, want 3 (exactly)\nyour mistake may be: you doubled the last\nwhy: 1 + 2\nwith x = [1 2]"
	require.Equal(t, text, strings.TrimSpace(r.out.String()))
	var f Failure
	require.NoError(t, json.Unmarshal([]byte(r.attrs[FailureAttr]), &f))
	require.Equal(t, Failure{Text: "Sum(x) = 4, want 3 (exactly)", Diagnosis: "you doubled the last", Why: "1 + 2", With: []string{"x = [1 2]"}}, f)
	require.Equal(t, text, f.String())
}

// The attribute is one line of bounded length, whatever the values are.
func TestFailureAttributeIsOneShortLine(t *testing.T) {
	r := &recorder{TB: t}
	got, want := map[string]string{}, map[string]string{}
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		got[name], want[name] = strings.Repeat("1\né", 500), strings.Repeat("2\né", 500)
	}
	Equal(r, "Names()", got, want, Exact)
	value := r.attrs[FailureAttr]
	require.NotContains(t, value, "\n")
	require.Less(t, len(value), 4*longestPart)
	require.True(t, json.Valid([]byte(value)))
}
