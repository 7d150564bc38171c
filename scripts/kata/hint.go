package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

func (a *app) hint() *cobra.Command {
	var all, asJSON bool
	c := &cobra.Command{
		Use:   "hint KATA [STEP]",
		Short: "Show one more hint for a step",
		Long: `Hint shows one more hint each time it is asked: a nudge, then the idea, then the formula. Without STEP it is the
first step that has not passed yet; STEP is a part of a test's name.`,
		Args:              words(1, 2),
		ValidArgsFunction: a.complete,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			w, k, err := a.open(args[0])
			if err != nil {
				return err
			}
			j := a.journal(w)
			defer closeJournal(j, &err)
			p, err := progress.Of(j)
			if err != nil {
				return err
			}
			step := p.Current(k)
			if len(args) == 2 {
				if step, err = progress.FindStep(k, args[1]); err != nil {
					return usageError{err}
				}
			}
			hints, err := progress.ShowHint(j, k, step, all, time.Now())
			if err != nil {
				return err
			}
			if asJSON {
				return a.line(shownHints(k, step, hints))
			}
			fmt.Fprintf(a.out, "%s  %s\n", terminal.Bold(step.Test), step.Title)
			for i, h := range hints.Shown {
				fmt.Fprint(a.out, "\n", terminal.Hint(h, i+1, hints.Of, terminal.Width(os.Stdout)))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "show all of the step's hints")
	c.Flags().BoolVar(&asJSON, "json", false, "print the hints shown so far as a line of JSON")
	return c
}

// shownHints is what a program reads of the hints shown so far.
func shownHints(k *workbook.Kata, s workbook.Step, g progress.Given) any {
	type hint struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
	}
	hints := []hint{}
	for _, h := range g.Shown {
		hints = append(hints, hint(h))
	}
	return struct {
		Schema int    `json:"schema"`
		Kata   string `json:"kata"`
		Test   string `json:"test"`
		Of     int    `json:"of"`
		Hints  []hint `json:"hints"`
	}{gotest.Schema, k.Name, s.Test, g.Of, hints}
}
