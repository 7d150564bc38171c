package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/practice"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/session"
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
		var r *gotest.Report
		if f.json || len(katas) > 1 {
			r, err = a.briefly(ctx, runner, store, k, subject, options, f.json)
		} else {
			r, err = practice.Once(ctx, runner, store, k, subject, options, a.view(w, k), a.out, f.verbose)
		}
		if err != nil {
			return false, err
		}
		solved = solved && r.Solved()
	}
	return solved, nil
}

// briefly prints a line: JSON, or the steps' signs.
func (a *app) briefly(ctx context.Context, runner *gotest.Runner, store progress.Store, k *workbook.Kata, s gotest.Subject, o gotest.Options, asJSON bool) (*gotest.Report, error) {
	r, unrecorded, err := session.Test(ctx, runner, store, k, s, o, nil)
	if err != nil {
		return nil, err
	}
	if unrecorded != nil {
		fmt.Fprintf(a.talk, "kata: this run is not recorded: %v\n", unrecorded)
	}
	if asJSON {
		return r, a.line(r)
	}
	_, err = fmt.Fprintf(a.out, "%-28s %s  %d/%d\n", k.Name, terminal.Marks(r), r.Passed(), len(r.Steps))
	return r, err
}
