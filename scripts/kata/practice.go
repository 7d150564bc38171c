package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/figures"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/practice"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

func (a *app) practice() *cobra.Command {
	var once, poll bool
	c := &cobra.Command{
		Use:   "practice [KATA]",
		Short: "Test your code on every save",
		Long: `Practice shows a kata, by default the one whose folder you are in or else the next unsolved one, and tests your code whenever you save it. Single keys do the
rest: h one more hint, v every message, n the next kata, l the list, r run again, a the answer once it is solved, q quit; arrows and space scroll.

Without a terminal it runs once. The exit status is 0 unless the tool itself failed: this is a session, not a test.`,
		Args:              words(0, 1),
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) (err error) {
			w, err := workbook.Open(a.dir)
			if err != nil {
				return err
			}
			store := a.journal(w)
			defer closeJournal(store, &err)
			p, err := progress.Of(store)
			if err != nil {
				return err
			}
			k := p.Next(w, nil)
			katas, err := a.katas(w, args)
			if err != nil {
				return err
			}
			if len(katas) == 1 {
				k = katas[0]
			}
			if k == nil {
				fmt.Fprintln(a.talk, a.typed("every kata is solved; kata practice KATA opens one again"))
				return nil
			}
			if once || !practice.Interactive(os.Stdin, os.Stdout) {
				if !once {
					fmt.Fprintf(a.talk, "no terminal: this runs once; on a terminal it would run on every save of %s\n\n", shown(k.File))
				}
				_, err := a.run(c.Context(), w, store, []*workbook.Kata{k}, testFlags{})
				return err
			}
			runner, err := gotest.New(w.Root)
			if err != nil {
				return err
			}
			dir, err := state(w)
			if err != nil {
				return err
			}
			gallery := figures.Gallery{Dir: dir}
			l := practice.Loop{
				Workbook: w, Runner: runner, Store: store, Text: a.view(w, k), Poll: poll,
				Artifacts: func(k *workbook.Kata) string { return gallery.Data(k, gotest.Learner) }, Draw: gallery.Draw,
			}
			return l.Run(c.Context(), k, os.Stdin, os.Stdout)
		},
	}
	c.Flags().BoolVar(&once, "once", false, "run once and end")
	c.Flags().BoolVar(&poll, "poll", false, "look for changes twice a second: for file systems that report none")
	return c
}
