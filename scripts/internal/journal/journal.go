// Package journal keeps every Report in SQLite, and the hints that were shown. It is written with WAL, one transaction a run: a kill at any
// instant loses at most the run in flight.
package journal

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

// Journal is an open database.
type Journal struct {
	Path string
	db   *sql.DB
}

// Path is where the journal of the workbook at root lives: KATA_JOURNAL if set, else root/.kata/journal.db, or, when the
// checkout cannot be written, a file in the user's state folder; note then says so in one line.
func Path(root string) (path, note string, err error) {
	if path := os.Getenv("KATA_JOURNAL"); path != "" {
		path, err := filepath.Abs(path)
		return path, "", err
	}
	dir := filepath.Join(root, ".kata")
	if writable(dir) {
		return filepath.Join(dir, "journal.db"), "", nil
	}
	state, err := stateFolder()
	if err != nil {
		return "", "", workbook.Errorf("set KATA_JOURNAL to a file that you may write", "%s cannot be written: %w", dir, err)
	}
	path = filepath.Join(state, "whyhow", "journal.db")
	return path, fmt.Sprintf("%s cannot be written: the journal is %s", dir, path), nil
}

// writable makes dir if need be and tries to write into it.
func writable(dir string) bool {
	if os.MkdirAll(dir, 0o777) != nil {
		return false
	}
	f, err := os.CreateTemp(dir, "write-")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return true
}

// stateFolder is XDG_STATE_HOME where there is such a thing, else the user's configuration folder.
func stateFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return os.UserConfigDir()
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state"), err
}

// Open opens or makes the journal at path. A locked, corrupt or newer database is an error with a hint.
func Open(path string) (*Journal, error) { return open(path, 20*time.Second) }

// open waits so long for another program that writes.
func open(path string, wait time.Duration) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, workbook.Errorf("set KATA_JOURNAL to a file that you may write", "the journal has no folder: %w", err)
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()), "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, explain(path, err)
	}
	db.SetMaxOpenConns(1)
	j := &Journal{Path: path, db: db}
	err = j.migrate()
	// SQLite does not wait while another program turns the same new file to WAL.
	for end := time.Now().Add(wait); busy(err) && time.Now().Before(end); err = j.migrate() {
		time.Sleep(10 * time.Millisecond)
	}
	if err == nil {
		err = j.absorb()
	}
	if err != nil {
		db.Close()
		return nil, explain(path, err)
	}
	return j, nil
}

func busy(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && failed.Code()&0xff == sqlite3.SQLITE_BUSY
}

// explain adds what to do. The file is never repaired or removed behind its owner's back.
func explain(path string, err error) error {
	hint := workbook.HintOf(err)
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			hint = "another program holds it: end that program, then try again"
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			hint = "move the file away to begin a new journal: mv " + path + " " + path + ".broken"
		case sqlite3.SQLITE_FULL:
			hint = "the disk is full: free some space"
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
			hint = "set KATA_JOURNAL to a file that you may write"
		}
	}
	return workbook.Errorf(hint, "the journal %s: %w", path, err)
}

// Add records a run.
func (j *Journal) Add(r *gotest.Report) error {
	return j.write(func(tx *sql.Tx) error { return add(tx, r) })
}

func add(tx *sql.Tx, r *gotest.Report) error {
	report, err := json.Marshal(r)
	if err != nil {
		return err
	}
	result, err := tx.Exec("INSERT INTO run (kata, subject, start, built, solved, sha256, report) VALUES (?, ?, ?, ?, ?, ?, ?)",
		r.Kata, r.Subject, r.Start.UnixMilli(), r.Build == nil, r.Solved(), r.Hash, string(report))
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	for _, s := range r.Steps {
		if _, err := tx.Exec("INSERT INTO step (run, test, status, points) VALUES (?, ?, ?, ?)", id, s.Test, s.Status, s.Points); err != nil {
			return err
		}
	}
	return nil
}

// Spool is where runs and hints are kept before there is a journal.
func Spool(journal string) progress.Spool {
	return progress.Spool{Dir: filepath.Join(filepath.Dir(journal), "spool")}
}

// absorb takes over what was kept before there was a journal. A file that two programs take over at the same time, or whose removal was missed, counts once.
func (j *Journal) absorb() error {
	files, err := Spool(j.Path).Files()
	if err != nil || len(files) == 0 {
		return err
	}
	err = j.write(func(tx *sql.Tx) error {
		for _, file := range files {
			what, err := progress.Read(file)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return workbook.Errorf("move that file away: it holds one run", "what was kept before it: %w", err)
			}
			if r := what.Report; r != nil {
				var there bool
				if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM run WHERE kata = ? AND subject = ? AND start = ?)", r.Kata, r.Subject, r.Start.UnixMilli()).Scan(&there); err != nil {
					return err
				}
				if !there {
					if err := add(tx, r); err != nil {
						return err
					}
				}
			}
			if h := what.Hint; h != nil {
				if err := showHints(tx, h.Kata, h.Test, h.Number, h.Shown); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// write does what f does, or nothing.
func (j *Journal) write(f func(*sql.Tx) error) error {
	tx, err := j.db.Begin()
	if err != nil {
		return explain(j.Path, err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return explain(j.Path, err)
	}
	if err := tx.Commit(); err != nil {
		return explain(j.Path, err)
	}
	return nil
}

// Latest returns the newest Report of the kata for the subject, or nil if there is none.
func (j *Journal) Latest(kata, subject string) (*gotest.Report, error) {
	var text string
	err := j.db.QueryRow("SELECT report FROM run WHERE kata = ? AND subject = ? ORDER BY id DESC LIMIT 1", kata, subject).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(j.Path, err)
	}
	r := new(gotest.Report)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, explain(j.Path, err)
	}
	return r, nil
}

// Standings returns how the learner stands, by kata. Runs that did not build leave it as it was.
func (j *Journal) Standings() (map[string]progress.Standing, error) {
	all := map[string]progress.Standing{}
	if err := j.rows(`
		SELECT kata, sha256,
			COALESCE((SELECT MAX(start) FROM run AS s WHERE s.kata = r.kata AND s.subject = r.subject AND s.solved), 0)
		FROM run AS r WHERE id IN (SELECT MAX(id) FROM run WHERE subject = ? AND built GROUP BY kata)`,
		func(scan func(...any) error) error {
			var kata string
			var solved int64
			s := progress.Standing{Steps: map[string]progress.State{}}
			if err := scan(&kata, &s.Hash, &solved); err != nil {
				return err
			}
			s.Solved = instant(solved)
			all[kata] = s
			return nil
		}, gotest.Learner); err != nil {
		return nil, err
	}
	if err := j.rows(`
		SELECT kata, test, MAX(run.id), status FROM run JOIN step ON step.run = run.id
		WHERE subject = ? AND built GROUP BY kata, test`,
		func(scan func(...any) error) error {
			var kata, test string
			var id int64
			var s progress.State
			if err := scan(&kata, &test, &id, &s.Now); err != nil {
				return err
			}
			all[kata].Steps[test] = s
			return nil
		}, gotest.Learner); err != nil {
		return nil, err
	}
	return all, j.rows("SELECT kata, test, MAX(number) FROM hint GROUP BY kata, test", func(scan func(...any) error) error {
		var kata, test string
		var shown int
		if err := scan(&kata, &test, &shown); err != nil {
			return err
		}
		if all[kata].Steps == nil {
			all[kata] = progress.Standing{Steps: map[string]progress.State{}}
		}
		s := all[kata].Steps[test]
		s.Hints = shown
		all[kata].Steps[test] = s
		return nil
	})
}

// rows calls each with what reads the columns of a row, for every row that a query finds.
func (j *Journal) rows(query string, each func(scan func(...any) error) error, args ...any) error {
	rows, err := j.db.Query(query, args...)
	if err != nil {
		return explain(j.Path, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return explain(j.Path, err)
		}
	}
	if err := rows.Err(); err != nil {
		return explain(j.Path, err)
	}
	return nil
}

// Hints returns how many hints of a step have been shown.
func (j *Journal) Hints(kata, test string) (shown int, err error) {
	err = j.db.QueryRow("SELECT COALESCE(MAX(number), 0) FROM hint WHERE kata = ? AND test = ?", kata, test).Scan(&shown)
	if err != nil {
		return 0, explain(j.Path, err)
	}
	return shown, nil
}

// ShowHints records that the first n hints of a step have been shown by now. Those that had been keep their time.
func (j *Journal) ShowHints(kata, test string, n int, now time.Time) error {
	return j.write(func(tx *sql.Tx) error { return showHints(tx, kata, test, n, now) })
}

func showHints(tx *sql.Tx, kata, test string, n int, now time.Time) error {
	for number := 1; number <= n; number++ {
		if _, err := tx.Exec("INSERT OR IGNORE INTO hint (kata, test, number, shown) VALUES (?, ?, ?, ?)", kata, test, number, now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// Close folds the write-ahead log into the file and closes it.
func (j *Journal) Close() error { return j.db.Close() }
