package check

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRescue(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t testing.TB)
		says string
		attr string
	}{
		"a stub":               {func(testing.TB) { panic("TODO: Layer.Train") }, "Layer.Train is not implemented yet", "todo"},
		"a panic":              {func(testing.TB) { panic("batchnorm: no rows") }, "panic: batchnorm: no rows", "crash"},
		"a run-time error":     {func(testing.TB) { var s []int; _ = s[len(s)] }, "index out of range", "crash"},
		"an error value":       {func(testing.TB) { panic(errors.New("no rows")) }, "panic: no rows", "crash"},
		"a failure and a stub": {func(t testing.TB) { t.Error("wrong"); panic("TODO: Train") }, "Train is not implemented yet", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			func() {
				defer Rescue(r)
				c.do(r)
			}()
			require.True(t, r.failed)
			require.Contains(t, r.out.String(), c.says)
			require.Equal(t, c.attr, r.attrs[Attr])
		})
	}
	t.Run("nothing to rescue", func(t *testing.T) {
		require.Empty(t, said(t, func(t testing.TB) { defer Rescue(t) }))
	})
}

func TestOfKata(t *testing.T) {
	for function, want := range map[string]string{
		"whyhow/katas/q05-batch-norm.(*Layer).Train":   "(*Layer).Train",
		"whyhow/katas/q05-batch-norm.Stats.func1":      "Stats.func1",
		"whyhow/katas/q05-batch-norm_test.TestStats":   "",
		"whyhow/katas/kit/check.Equal":                 "",
		"gonum.org/v1/gonum/mat.(*Dense).At":           "",
		"whyhow/katas/q18-session-run/graph.(*Node).X": "",
	} {
		got, ok := ofKata(function)
		require.Equal(t, want != "", ok, function)
		require.Equal(t, want, got, function)
	}
}

func TestPanics(t *testing.T) {
	require.Empty(t, said(t, func(t testing.TB) { Panics(t, "New(0)", func() { panic("check: no features") }) }))
	require.Empty(t, said(t, func(t testing.TB) { Panics(t, "New(0)", func() { panic(errors.New("check: no features")) }) }))
	require.Equal(t, `New(0) did not panic, want a panic with a message that begins with "check: "`,
		said(t, func(t testing.TB) { Panics(t, "New(0)", func() {}) }))
	for name, f := range map[string]func(){
		"no prefix":         func() { panic("no features") },
		"another's":         func() { panic("mat: no features") },
		"a run-time error":  func() { var s []int; s[0]++ },
		"a nil dereference": func() { var p *pairOf; p.Name = "" },
		"nil":               func() { panic(nil) },
	} {
		require.Contains(t, said(t, func(t testing.TB) { Panics(t, "New(0)", f) }),
			`check the arguments first, and panic with a message that begins with "check: "`, name)
	}
	require.PanicsWithValue(t, "TODO: New", func() { Panics(&recorder{TB: t}, "New(0)", func() { panic("TODO: New") }) })
}

func TestFails(t *testing.T) {
	require.Empty(t, said(t, func(t testing.TB) { Fails(t, "New(0)", errors.New(`no "x" in line 3`), `"x"`, "line 3") }))
	require.Equal(t, "New(0) gave no error, want one", said(t, func(t testing.TB) { Fails(t, "New(0)", nil) }))
	require.Equal(t, "New(0) gave no error, want one that contains x and y", said(t, func(t testing.TB) { Fails(t, "New(0)", nil, "x", "y") }))
	require.Equal(t, `New(0) gave the error "no", want one that contains x`, said(t, func(t testing.TB) { Fails(t, "New(0)", errors.New("no"), "x") }))
}

// A runner hears of every case, also of one that holds.
func TestCases(t *testing.T) {
	r := &recorder{TB: t}
	Panics(r, "New(0)", func() { panic("check: no") })
	require.Equal(t, "panics New(0)", r.attrs[CaseAttr])
	Fails(r, "Read(x)", errors.New("no"))
	require.Equal(t, "fails Read(x)", r.attrs[CaseAttr])
}
