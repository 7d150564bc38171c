package progress

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Given is the hints of a step that were shown so far.
type Given struct {
	Shown []workbook.Hint
	Of    int
}

// ShowHint returns the hints of a step with one more than the last time, or all of them, and records that. Without a
// store it is the first.
func ShowHint(store Store, k *workbook.Kata, s workbook.Step, all bool, now time.Time) (Given, error) {
	hints, err := k.Hints()
	if errors.Is(err, fs.ErrNotExist) {
		return Given{}, workbook.Errorf("the README's ideas and steps may help", "%s has no hints in this checkout", k.Name)
	}
	if err != nil {
		return Given{}, err
	}
	of := hints[s.Test]
	if len(of) == 0 {
		return Given{}, fmt.Errorf("%s has no hints for %s", k.Name, s.Test)
	}
	shown := 0
	if store != nil {
		if shown, err = store.Hints(k.Name, s.Test); err != nil {
			return Given{}, err
		}
	}
	n := min(shown+1, len(of))
	if all {
		n = len(of)
	}
	if store != nil && n > shown {
		if err := store.ShowHints(k.Name, s.Test, n, now); err != nil {
			return Given{}, err
		}
	}
	return Given{of[:n], len(of)}, nil
}
