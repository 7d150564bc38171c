package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

func (a *app) next() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "next",
		Short: "Show the next unsolved kata and the file to edit",
		Args:  words(0, 0),
		RunE: func(*cobra.Command, []string) (err error) {
			w, err := workbook.Open(a.dir)
			if err != nil {
				return err
			}
			p, err := a.progress(w)
			if err != nil {
				return err
			}
			k := p.Next(w, nil)
			switch {
			case k == nil && asJSON:
				return a.line(map[string]any{"schema": gotest.Schema, "kata": ""})
			case k == nil:
				fmt.Fprintln(a.talk, "every kata is solved")
				return nil
			case asJSON:
				return a.line(p.Entry(k))
			}
			_, err = fmt.Fprintf(a.out, "%s%s\n", a.view(w, k).Heading(k), terminal.Faint(a.typed("kata practice "+k.Number+" tests it on every save")))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as a line of JSON")
	return c
}
