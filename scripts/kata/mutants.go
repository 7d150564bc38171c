package main

import (
	"fmt"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"whyhow/scripts/internal/proof"
)

func (a *app) mutants() *cobra.Command {
	var asJSON, verbose bool
	c := &cobra.Command{
		Use:    "mutants [KATA…]",
		Short:  "Change the references in small ways and count what the tests notice",
		Hidden: true, // for those who write katas
		Long: `Mutants makes small changes in the references of katas, by default of all, and runs the how steps on each, then the why steps on those
that survive, and the hidden test on what is left. It fails if the how and why steps of a kata kill less than 98 % of them. Those that
equivalents.yaml lists do not count. CONTRIBUTING.md says more.`,
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) error {
			_, katas, runner, err := a.proving(args)
			if err != nil {
				return err
			}
			var all []proof.Mutation
			err = proof.Mutate(c.Context(), runner, katas, func(m proof.Mutation) {
				all = append(all, m)
				switch {
				case asJSON:
					_ = a.line(m) // a reader that went away is noticed at the end
				case term.IsTerminal(os.Stderr.Fd()):
					fmt.Fprintf(a.talk, "%s: %d of %d killed\n", m.Kata, m.Visible, m.Killable())
				}
			})
			if err != nil {
				return err
			}
			if !asJSON {
				if err := proof.PrintMutations(a.out, all, verbose || len(args) > 0); err != nil {
					return err
				}
			}
			for _, m := range all {
				if !m.Enough() {
					return errFailed
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON a kata, as it is done")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print every survivor, as for a kata that is named")
	return c
}
