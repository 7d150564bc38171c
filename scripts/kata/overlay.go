package main

import (
	"cmp"
	"encoding/json"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/workbook"
)

func (a *app) overlay() *cobra.Command {
	return &cobra.Command{
		Use:   "overlay [KATA…]",
		Short: "Print the go test -overlay that puts the reference in the stubs' place",
		Long: `Overlay prints what plain go test needs to run the tests or benchmarks of katas, by default all, on the reference:

	kata overlay q05 > overlay.json
	go test -overlay=overlay.json ./katas/q05-batch-norm`,
		ValidArgsFunction: a.complete,
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := workbook.Open(a.dir)
			if err != nil {
				return err
			}
			katas, err := a.katas(w, args)
			if err != nil {
				return err
			}
			replace := map[string]string{}
			for _, k := range katas {
				if err := cmp.Or(k.Err, k.NeedSolution()); err != nil {
					return err
				}
				replace[k.File] = k.Reference()
			}
			return json.NewEncoder(a.out).Encode(map[string]any{"Replace": replace})
		},
	}
}
