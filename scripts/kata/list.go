package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

func (a *app) list() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the katas and how far you are with each",
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
			for _, k := range w.Katas {
				if asJSON {
					err = a.line(p.Entry(k))
				} else {
					_, err = fmt.Fprint(a.out, terminal.Entry(k, p))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON a kata")
	return c
}
