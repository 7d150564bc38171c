package submission

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// identity is whose a submission is, as far as its name says so.
type identity struct {
	system  string // that wrote the name; "": none did
	key     string // clean
	name    string // of a person, as the system writes it; "" if it is not known
	number  string // by which the system tells people of one name apart; "": the key does
	attempt string // by which the system tells what one person handed in together from what came later
	ids     []string
	time    time.Time // zero if the name has none
	file    string    // what the student calls the file; "": the thing is a folder of the student's
	upload  string    // the system's own number of the file
}

// Names of the systems.
const (
	byMoodle     = "Moodle"
	byBlackboard = "Blackboard"
	byCanvas     = "Canvas"
	byGradescope = "Gradescope"
)

var (
	moodle     = regexp.MustCompile(`(?s)^(.+)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?$`)
	blackboard = regexp.MustCompile(`(?s)^.*_([^_]+)_attempt_(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(.*)|\.[^_]*)?$`)
	canvas     = regexp.MustCompile(`(?s)^([\p{L}\p{M}\p{N}_]+?)_(?:LATE_)?(\d+)_(\d+)_(.+)$`)
	anonymous  = regexp.MustCompile(`(?s)^anon_(?:LATE_)?([0-9A-Za-z]+)_(\d+)_(.+)$`) // Canvas's
)

// identify reads the name of a file or folder.
func identify(base string) identity {
	base = norm.NFC.String(strings.TrimSpace(base))
	if m := moodle.FindStringSubmatch(base); m != nil {
		return identity{system: byMoodle, key: key(m[1]), name: m[1], number: m[2], ids: []string{"Participant " + m[2]}, file: m[3]}
	}
	if m := blackboard.FindStringSubmatch(base); m != nil {
		if at, err := time.ParseInLocation("2006-01-02-15-04-05", m[2], time.Local); err == nil {
			file := m[3]
			if file == "" {
				file = base // what Blackboard itself says of the attempt
			}
			return identity{system: byBlackboard, key: key(m[1]), attempt: m[2], ids: []string{m[1]}, time: at, file: file}
		}
	}
	if m := anonymous.FindStringSubmatch(base); m != nil {
		return identity{system: byCanvas, key: key("anon_" + m[1]), ids: []string{m[1]}, file: m[3], upload: m[2]}
	}
	if m := canvas.FindStringSubmatch(base); m != nil {
		return identity{system: byCanvas, key: key(m[1]), name: m[1], number: m[2], file: m[4], upload: m[3]}
	}
	return plainName(base)
}

// plainName is the identity of a thing that no system named.
func plainName(base string) identity {
	base, _ = cutSuffix(base, archiveSuffixes)
	base, _ = cutSuffix(base, otherArchives)
	return identity{key: key(base), name: base, ids: []string{base}}
}

// again is what Canvas puts behind the name of a file that is handed in once more, and a browser behind one that it has already.
var again = regexp.MustCompile(`(?:-\d+| \(\d+\))(\.go)$`)

// maxName is how many characters of a name are shown.
const maxName = 100

// key makes a key of a name. Names that differ make keys that differ, unless they look the same.
func key(name string) string {
	name = strings.TrimSpace(norm.NFC.String(name))
	k := clean(name, maxName)
	if strings.TrimSpace(k) == "" {
		return "(no name)"
	}
	if utf8.RuneCountInString(name) > maxName {
		sum := sha256.Sum256([]byte(name))
		k += hex.EncodeToString(sum[:4])
	}
	return k
}

// clean makes a text harmless on a screen: what is no UTF-8, moves the cursor, begins an escape or turns the direction of writing is shown as �. A text
// of more than so many characters is cut.
func clean(text string, most int) string {
	n := 0
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\ufffd") {
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		joins := r == '\u200c' || r == '\u200d' // within words of several scripts
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && !joins {
			r = '\ufffd'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fold is what of an identifier or name is compared with a roster's.
func fold(s string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(s))) }

// squash is fold without what Canvas leaves out of a name.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || !unicode.In(r, unicode.L, unicode.N, unicode.M) {
			return -1
		}
		return r
	}, fold(s))
}

// assignment is what the names of repositories in one folder begin with, up to a dash: "hw1-" of hw1-annlee and hw1-bobk. It is "" for fewer than
// two names.
func assignment(names []string) string {
	if len(names) < 2 {
		return ""
	}
	common := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	common = common[:strings.LastIndexByte(common, '-')+1]
	for _, name := range names {
		if name == common {
			return ""
		}
	}
	return common
}
