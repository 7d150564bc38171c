package main

import (
	"fmt"
	"os"

	"whyhow/scripts/internal/gotest"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/practice"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

func (a *app) practice() *cobra.Command {
	var once bool
	l := practice.Loop{In: os.Stdin, Out: os.Stdout}
	c := &cobra.Command{
		Use:   "practice [KATA]",
		Short: "Test your code on every save",
		Long: `Practice shows a kata, by default the one whose folder you are in or else the next unsolved one, and tests your code whenever you save it. Single keys do the
rest: h one more hint, n the next kata, l the list, r run again, a the answer once it is solved, q quit.

Without a terminal it runs once.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if l.Workbook, err = workbook.Open(a.dir); err != nil {
				return err
			}
			l.Shown = inWorkbook(l.Workbook)
			l.Journal = a.journal(l.Workbook)
			defer closeJournal(l.Journal, &err)
			p, err := progress.Of(l.Journal)
			if err != nil {
				return err
			}
			k := p.Next(l.Workbook, nil)
			katas, err := a.katas(l.Workbook, args)
			if err != nil {
				return err
			}
			if len(katas) == 1 {
				k = katas[0]
			}
			if k == nil {
				fmt.Fprintln(a.talk, typed("every kata is solved; kata practice KATA opens one again"))
				return nil
			}
			if once || !l.Interactive() {
				if !once {
					fmt.Fprintf(a.talk, "no terminal: this runs once; on a terminal it would run on every save of %s\n\n", shown(k.File))
				}
				test := a.test()
				test.SetContext(c.Context())
				return test.RunE(test, []string{k.Name})
			}
			if l.Runner, err = gotest.New(l.Workbook.Root); err != nil {
				return err
			}
			dir, err := state(l.Workbook)
			if err != nil {
				return err
			}
			l.Gallery = practice.Gallery{Dir: dir}
			return l.Run(c.Context(), k)
		},
	}
	c.Flags().BoolVar(&once, "once", false, "run once and end")
	c.Flags().BoolVar(&l.Poll, "poll", false, "look for changes twice a second: for file systems that report none")
	return c
}
