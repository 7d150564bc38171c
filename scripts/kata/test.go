package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

func (a *app) test() *cobra.Command {
	var reference, asJSON, verbose bool
	var options gotest.Options
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
			runner, err := gotest.New(w.Root)
			if err != nil {
				return err
			}
			j := a.journal(w)
			defer closeJournal(j, &err)

			options.Slow = a.slow()
			p, err := progress.Of(j)
			if err != nil {
				return err
			}
			failed := false
			for _, k := range katas {
				if k.Err != nil {
					fmt.Fprintf(a.talk, "kata: %v\n", k.Err)
					failed = true
					continue
				}
				v := view(w)
				verdict := func(r *gotest.Report) { fmt.Fprint(a.out, v.Heading(k), v.Found(r, workbook.How, verbose)) }
				if asJSON || len(katas) > 1 {
					verdict = nil
				}
				subject, err := a.subject(k, reference)
				if err != nil {
					return err
				}
				r, err := runner.Run(c.Context(), k, subject, options, verdict)
				if err != nil {
					return err
				}
				p.Count(r)
				if j != nil {
					if err := j.Add(r); err != nil {
						fmt.Fprintf(a.talk, "kata: this run is not recorded: %v\n", err)
					}
				}
				failed = failed || !r.Solved()
				switch {
				case asJSON:
					err = a.line(r)
				case len(katas) > 1:
					_, err = fmt.Fprintf(a.out, "%-28s %s  %d/%d\n", k.Name, terminal.Marks(r), r.Passed(), len(r.Steps))
				default:
					_, err = fmt.Fprint(a.out, v.Found(r, workbook.Why, verbose), v.Vet(r), v.Notes(r), typed(summary(k, r, reference)))
				}
				if err != nil {
					return err
				}
			}
			if failed {
				return errFailed
			}
			return nil
		},
	}
	c.Flags().BoolVar(&reference, "reference", false, "test the reference solution in place of your code")
	c.Flags().BoolVar(&asJSON, "json", false, "print Reports as JSON, a line each")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every message of every failing step")
	c.Flags().BoolVar(&options.Race, "race", false, "build with the race detector")
	return c
}

// summary is the last line of a run: how much passed, and what there is to do.
func summary(k *workbook.Kata, r *gotest.Report, reference bool) string {
	elapsed := time.Duration(r.Seconds * float64(time.Second)).Round(10 * time.Millisecond)
	if r.Build != nil {
		return fmt.Sprintf("\nno step ran (%v)\n", elapsed)
	}
	s := fmt.Sprintf("\n%d of %d steps pass (%v)", r.Passed(), len(r.Steps), elapsed)
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
