package submission

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"whyhow/scripts/internal/workbook"
)

// match is a kata whose file an entry may be.
type match struct {
	kata *workbook.Kata
	rank int // the less, the better
}

// maxWraps is how many folders may lie above a submission's own.
const maxWraps = 3

// matches returns the katas whose file may be at the clean path name. An entry of any kind may be one: a link in a file's place is told.
func matches(katas []*workbook.Kata, name string) []match {
	if !strings.EqualFold(path.Ext(name), ".go") || skipped(path.Dir(name)) {
		return nil
	}
	parts := strings.Split(name, "/")
	var all []match
	for _, k := range katas {
		exact := []string{"katas", k.Name, k.Package + ".go"}
		for form := range exact { // the whole path, then looser ones
			tail := exact[form:]
			wraps := len(parts) - len(tail)
			if wraps < 0 || !slices.EqualFunc(parts[wraps:], tail, strings.EqualFold) {
				continue
			}
			if wraps <= maxWraps {
				rank := 4 * form
				if !slices.Equal(parts[wraps:], tail) {
					rank += 2
				}
				if wraps > 0 {
					rank++
				}
				all = append(all, match{k, rank})
			}
			break
		}
	}
	return all
}

// skipped says whether a folder is none in which students work: of a checkout of the workbook, of version control, of an operating system.
func skipped(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		switch strings.ToLower(part) {
		case "solutions", "scripts", "__macosx", "node_modules":
			return true
		}
		if len(part) > 1 && part[0] == '.' {
			return true
		}
	}
	return false
}

// cleanPath returns an entry's path, or what is wrong with it.
func cleanPath(name string) (clean, why string) {
	switch {
	case !utf8.ValidString(name):
		return "", "is not UTF-8"
	case len(name) > 4096:
		return "", "is too long"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "has a control character"
	case strings.Contains(name, `\`):
		return "", "has a backslash"
	case strings.HasPrefix(name, "/"):
		return "", "is absolute"
	case len(name) > 1 && name[1] == ':' && unicode.IsLetter(rune(name[0])):
		return "", "begins with a drive"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", "goes up with .."
	}
	return path.Clean(name), ""
}

// quote shows a name that is not safe to show.
func quote(name string) string {
	if len(name) > 100 {
		name = name[:100] + "…"
	}
	return strconv.QuoteToGraphic(name)
}
