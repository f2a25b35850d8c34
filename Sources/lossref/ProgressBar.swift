import Foundation

/// A bar on standard error while it is a terminal; nothing in a pipe.
final class ProgressBar: @unchecked Sendable {
  private let isTerminal = isatty(2) == 1
  private let lock = NSLock()
  private var shown = -1

  func show(_ part: Double) {
    guard isTerminal else { return }
    lock.lock()
    defer { lock.unlock() }
    let percent = Int(part * 100)
    guard percent > shown else { return }
    shown = percent
    let full = String(repeating: "#", count: percent / 2)
    let empty = String(repeating: ".", count: 50 - percent / 2)
    write("\r[\(full)\(empty)] \(percent) %")
  }

  func clear() {
    if isTerminal { write("\r\u{1b}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
