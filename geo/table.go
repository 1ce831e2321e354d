package geo

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Table reads a CSV file whose first row names the columns. Names are compared
// without case and surrounding blanks; a byte order mark is skipped. Where the
// first row has no comma, semicolons or tabs separate, as spreadsheets write
// them in many countries.
type Table struct {
	reader  *csv.Reader
	columns map[string]int
	Header  []string // lower case, in order
	row     []string
	err     error
}

// NewTable reads the first row. Each of the required columns must be there.
func NewTable(r io.Reader, required ...string) (*Table, error) {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	start, _ := buffered.Peek(4096)
	firstLine, _, _ := strings.Cut(string(start), "\n")
	reader := csv.NewReader(buffered)
	for _, separator := range []rune{';', '\t'} {
		if !strings.Contains(firstLine, ",") && strings.ContainsRune(firstLine, separator) {
			reader.Comma = separator
		}
	}
	// A blank after a tab may be an empty field.
	reader.TrimLeadingSpace = reader.Comma != '\t'
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the file is empty; expected a first row with the columns %s", strings.Join(required, ","))
	}
	if err != nil {
		return nil, csvError(err)
	}
	t := &Table{reader: reader, columns: map[string]int{}}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := t.columns[name]; twice && name != "" {
			return nil, fmt.Errorf("line 1: the column %q is there twice", name)
		}
		t.columns[name] = i
		t.Header = append(t.Header, name)
	}
	var missing []string
	for _, name := range required {
		if _, ok := t.columns[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("line 1: missing column %s; expected at least %s, met %s",
			strings.Join(missing, " and "), strings.Join(required, ","), excerpt(strings.Join(t.Header, ",")))
	}
	return t, nil
}

// excerpt makes what a file begins with fit for a message.
func excerpt(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}

// Next reads the next row, and is false at the end and after an error.
func (t *Table) Next() bool {
	if t.err != nil {
		return false
	}
	row, err := t.reader.Read()
	if err != nil {
		if errors.Is(err, csv.ErrFieldCount) {
			err = t.Errorf("the row has %d fields, but the first row %d", len(row), len(t.Header))
		}
		if !errors.Is(err, io.EOF) {
			t.err = csvError(err)
		}
		return false
	}
	for i := range row {
		row[i] = strings.TrimSpace(row[i])
	}
	t.row = row
	return true
}

// Row is the current row, its fields without surrounding blanks.
func (t *Table) Row() []string { return t.row }

// Field is a field of the current row by its column's lower-case name; it is
// empty where there is no such column.
func (t *Table) Field(column string) string {
	if i, ok := t.columns[column]; ok {
		return t.row[i]
	}
	return ""
}

// Err is the error that ended the reading, with the line it is in.
func (t *Table) Err() error { return t.err }

// Errorf is an error about the current row.
func (t *Table) Errorf(format string, args ...any) error {
	line, _ := t.reader.FieldPos(0)
	return fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...))
}

// csvError words an error of the CSV reader for the person who mends the file.
func csvError(err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	return fmt.Errorf("line %d, column %d: %w", parse.Line, parse.Column, parse.Err)
}
