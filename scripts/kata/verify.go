package main

import (
	"fmt"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"whyhow/scripts/internal/proof"
)

func (a *app) verify() *cobra.Command {
	var asJSON, sums bool
	options := proof.Options{CI: os.Getenv("CI") != ""}
	c := &cobra.Command{
		Use:   "verify [KATA…]",
		Short: "Prove katas: files, stub, reference, planted mistakes, alternatives",
		Long: `Verify checks all that a machine can check of what CONTRIBUTING.md asks of a kata, by default of all: the files, that the
stub passes no step and the reference every step, that each planted mistake gets its diagnosis and each alternative passes. Of all katas it
also checks that katas/SHA256SUMS lists the files as they are.`,
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) error {
			w, katas, runner, err := a.proving(args)
			if err != nil {
				return err
			}
			if sums {
				return w.WriteSums()
			}
			switch {
			case asJSON:
				options.Done = func(r proof.Result) { _ = a.line(r) } // a reader that went away is noticed at the end
			case term.IsTerminal(os.Stderr.Fd()):
				options.Done = func(r proof.Result) { fmt.Fprintf(a.talk, "%s: %d problems\n", r.Kata, len(r.Problems)) }
			}
			results, err := proof.Verify(c.Context(), w, runner, katas, options)
			if err != nil {
				return err
			}
			if !asJSON {
				if err := proof.Print(a.out, results); err != nil {
					return err
				}
			}
			for _, r := range results {
				if len(r.Problems) > 0 {
					return errFailed
				}
			}
			if len(args) == 0 {
				return w.CheckSums()
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON a kata, as it is done")
	c.Flags().BoolVar(&sums, "write-sums", false, "write katas/SHA256SUMS, by which a run tells changed tests and an export what may leave, and end")
	c.Flags().IntVar(&options.Jobs, "jobs", 0, "katas at a time; 0: as many as there are cores")
	return c
}
