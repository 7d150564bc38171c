package figures

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// Gallery keeps the figures of runs below Dir.
type Gallery struct{ Dir string }

// Data is the folder for what a run of k on the subject's code records.
func (g Gallery) Data(k *workbook.Kata, subject string) string {
	return filepath.Join(g.Dir, "data", k.Name, subject)
}

// Draw draws the figures that r recorded, as figures/KATA/NAME.svg and .png, and returns the files; those of
// the reference are in a folder of their own. If there are any, those of earlier runs go.
func (g Gallery) Draw(r *gotest.Report) (files []string, err error) {
	folder := filepath.Join(g.Dir, "figures", r.Kata)
	if r.Subject == "reference" {
		folder = filepath.Join(folder, "reference")
	}
	for _, recorded := range r.Figures {
		f, err := Load(recorded.Path)
		if err != nil {
			return files, err
		}
		name := strings.TrimSuffix(filepath.Base(recorded.Path), ".json")
		drawn, err := Draw(f, filepath.Join(folder, name))
		if err != nil {
			return files, err
		}
		files = append(files, drawn...)
	}
	if len(files) == 0 {
		return nil, nil
	}
	for _, f := range workbook.Files(folder, "*.[sp][vn]g") {
		if !slices.Contains(files, f) {
			if err := os.Remove(f); err != nil {
				return files, err
			}
		}
	}
	return files, nil
}
