package practice

import (
	"context"
	"fmt"
	"io"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/session"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// Once tests a kata once and prints what came of it to out: the verdict as soon as it is there, then the rest. all prints every message.
func Once(ctx context.Context, runner *gotest.Runner, store progress.Store, k *workbook.Kata, s gotest.Subject, o gotest.Options, v terminal.View, out io.Writer, all bool) (*gotest.Report, error) {
	r, unrecorded, err := session.Test(ctx, runner, store, k, s, o, func(r *gotest.Report) {
		fmt.Fprint(out, v.Heading(k), v.Found(r, workbook.How, all))
	})
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprint(out, v.Found(r, workbook.Why, all), v.Vet(r), v.Notes(r), summary(k, r, v))
	if err == nil && unrecorded != nil {
		_, err = fmt.Fprintf(out, "this run is not recorded: %v\n", unrecorded)
	}
	return r, err
}

// summary is the last line of a run: how much passed, and what there is to do.
func summary(k *workbook.Kata, r *gotest.Report, v terminal.View) string {
	elapsed := time.Duration(r.Seconds * float64(time.Second)).Round(10 * time.Millisecond)
	if r.Build != nil {
		return fmt.Sprintf("\nno step ran (%v)\n", elapsed)
	}
	s := fmt.Sprintf("\n%s (%v)", score(r), elapsed)
	switch {
	case r.Subject != gotest.Learner:
	case r.Solved():
		s += fmt.Sprintf("; %s figure %s draws what your code found, %[1]s answer %[2]s is the answer", v.Command, k.Number)
	case r.Broken() == nil && r.Unwritten() != nil:
		s += fmt.Sprintf("; next is %s in %s", r.Unwritten().Test, v.Path(r.File))
	default:
		s += fmt.Sprintf("; %s hint %s helps", v.Command, k.Number)
	}
	return s + "\n"
}
