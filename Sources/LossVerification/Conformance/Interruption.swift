import Foundation

/// What becomes of a program when this process is interrupted.
///
/// A program leads a process group of its own, so that it can be ended with all that it has started; for
/// that reason the Ctrl-C of a terminal does not reach it.
public enum Interruption {
  /// The process that a signal ends first; 0 where there is none. A handler may read nothing else.
  nonisolated(unsafe) private static let slot: UnsafeMutablePointer<pid_t> = {
    let slot = UnsafeMutablePointer<pid_t>.allocate(capacity: 1)
    slot.initialize(to: 0)
    return slot
  }()

  /// Written once, before there is any program.
  nonisolated(unsafe) private static var isWatching = false

  static func note(_ process: pid_t) {
    if isWatching { slot.pointee = process }
  }

  /// From now on an interrupt, a hangup or a request to end ends the running program, too.
  public static func endsPrograms() {
    isWatching = true
    note(0)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        let process = Interruption.slot.pointee
        if process > 0 {
          kill(-process, SIGKILL)
          kill(process, SIGKILL)
        }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
