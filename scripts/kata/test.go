package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// testFlags are the flags of kata test.
type testFlags struct{ reference, json, verbose, race bool }

func (a *app) test() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test [KATA…]",
		Short: "Test your code: verdict, first failure, then the why steps",
		Long: `Test runs the steps of a kata on your code. Without KATA it is the one whose folder you are in, or else all of them, a line each.

With --json it prints each kata's Report as one line of JSON.`,
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) (err error) {
			w, err := workbook.Open(a.dir)
			if err != nil {
				return err
			}
			katas, err := a.katas(w, args)
			if err != nil {
				return err
			}
			store := a.journal(w)
			defer closeJournal(store, &err)
			solved, err := a.run(c.Context(), w, store, katas, f)
			if err == nil && !solved {
				err = errFailed
			}
			return err
		},
	}
	c.Flags().BoolVar(&f.reference, "reference", false, "test the reference solution in place of your code")
	c.Flags().BoolVar(&f.json, "json", false, "print Reports as JSON, a line each")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every message of every failing step, and all that your code prints")
	c.Flags().BoolVar(&f.race, "race", false, "build with the race detector")
	return c
}

// run tests katas once, records and prints what came of it, and says whether every step of all passed.
func (a *app) run(ctx context.Context, w *workbook.Workbook, store progress.Store, katas []*workbook.Kata, f testFlags) (solved bool, err error) {
	runner, err := gotest.New(w.Root)
	if err != nil {
		return false, err
	}
	p, err := progress.Of(store)
	if err != nil {
		return false, err
	}
	options := gotest.Options{Race: f.race, Slow: a.slow()}
	solved = true
	for _, k := range katas {
		if k.Err != nil {
			fmt.Fprintf(a.talk, "kata: %v\n", k.Err)
			solved = false
			continue
		}
		subject, err := a.subject(k, f.reference)
		if err != nil {
			return false, err
		}
		v := view(w, k)
		verdict := func(r *gotest.Report) { fmt.Fprint(a.out, v.Heading(k), v.Found(r, workbook.How, f.verbose)) }
		if f.json || len(katas) > 1 {
			verdict = nil
		}
		r, err := runner.Run(ctx, k, subject, options, verdict)
		if err != nil {
			return false, err
		}
		p.Count(r)
		if store != nil {
			if err := store.Add(r); err != nil {
				fmt.Fprintf(a.talk, "kata: this run is not recorded: %v\n", err)
			}
		}
		solved = solved && r.Solved()
		switch {
		case f.json:
			err = a.line(r)
		case len(katas) > 1:
			_, err = fmt.Fprintf(a.out, "%-28s %s  %d/%d\n", k.Name, terminal.Marks(r), r.Passed(), len(r.Steps))
		default:
			_, err = fmt.Fprint(a.out, v.Found(r, workbook.Why, f.verbose), v.Vet(r), v.Notes(r), typed(summary(k, r, f.reference)))
		}
		if err != nil {
			return false, err
		}
	}
	return solved, nil
}

// summary is the last line of a run: how much passed, and what there is to do.
func summary(k *workbook.Kata, r *gotest.Report, reference bool) string {
	elapsed := time.Duration(r.Seconds * float64(time.Second)).Round(10 * time.Millisecond)
	if r.Build != nil {
		return fmt.Sprintf("\nno step ran (%v)\n", elapsed)
	}
	s := fmt.Sprintf("\n%d of %d steps pass, %d of %d points (%v)", r.Passed(), len(r.Steps), r.Score, r.Max, elapsed)
	switch {
	case reference:
	case r.Solved():
		s += fmt.Sprintf("; kata figure %s draws what your code found, kata answer %[1]s is the answer", k.Number)
	case r.Broken() == nil && r.Unwritten() != nil:
		s += fmt.Sprintf("; next is %s in %s", r.Unwritten().Test, shown(k.File))
	default:
		s += fmt.Sprintf("; kata hint %s helps", k.Number)
	}
	return s + "\n"
}
