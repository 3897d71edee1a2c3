package embed

import "fmt"

// logger hands what the server says to a func, and the first thing it calls fatal to its starter.
type logger struct {
	to    func(level, text string)
	fatal chan string
}

func newLogger(to func(level, text string)) logger {
	return logger{to: to, fatal: make(chan string, 1)}
}

func (l logger) say(level, format string, v []any) {
	if l.to != nil {
		l.to(level, fmt.Sprintf(format, v...))
	}
}

// The methods of the server's logger interface. What it calls fatal is an error here: the process
// is not the server's to end.

func (l logger) Fatalf(format string, v ...any) {
	l.say("error", format, v)
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

func (l logger) Noticef(format string, v ...any) { l.say("notice", format, v) }
func (l logger) Warnf(format string, v ...any)   { l.say("warn", format, v) }
func (l logger) Errorf(format string, v ...any)  { l.say("error", format, v) }
func (l logger) Debugf(format string, v ...any)  { l.say("debug", format, v) }
func (l logger) Tracef(format string, v ...any)  { l.say("debug", format, v) }
