package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/terminal"
)

func (a *app) answer() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:               "answer KATA",
		Short:             "Show the answer to a kata's question",
		Args:              words(1, 1),
		ValidArgsFunction: a.complete,
		RunE: func(_ *cobra.Command, args []string) error {
			w, k, err := a.open(args[0])
			if err != nil {
				return err
			}
			text, err := k.Answer()
			if err != nil {
				return err
			}
			if asJSON {
				return a.line(map[string]any{"schema": gotest.Schema, "kata": k.Name, "title": k.Title, "markdown": text})
			}
			p, err := a.progress(w)
			if err != nil {
				return err
			}
			passed := p.Passed(k)
			switch solved := p.SolvedOn(k); {
			case passed < len(k.Steps) && !solved.IsZero():
				fmt.Fprintf(a.talk, "%s was solved on %s; in the newest run %d of %d steps pass\n\n", k.Name, terminal.Day(solved), passed, len(k.Steps))
			case passed < len(k.Steps):
				fmt.Fprintf(a.talk, "%d of %d steps of %s are still to be solved\n\n", len(k.Steps)-passed, len(k.Steps), k.Name)
			}
			_, err = fmt.Fprint(a.out, terminal.Markdown(text, terminal.Width(os.Stdout)))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as a line of JSON")
	return c
}
