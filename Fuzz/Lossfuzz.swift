import Dispatch
import Foundation
import LossDefinitions
import LossVerification

/// `lossfuzz`: random items through the judge, until the time or the runs are over.
@main struct Lossfuzz {
  static let usage = """
    usage: lossfuzz run [--loss NAME]... [--seed S] [--runs N] [--time 30s]
           lossfuzz replay CASE

    run     Draws items of every member of the catalog, of each configuration and
            stratum in either precision, and judges our kernels on them, on every
            core. Members get equal time; the n-th draw of each depends on the seed
            alone. Stops at the first broken claim and prints the case.
            --loss NAME   only this loss; may be repeated
            --seed S      where the draws start (default: from the clock)
            --runs N      stop after N rounds over each member's cells
            --time T      stop after T seconds (30s, 5m; default 30s)
    replay  Judges one case again, as `run` printed it.

    exit codes: 0 no claim was broken, 1 one was, 2 the command line is wrong
    """

  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    guard let command = arguments.first else { stop(usage) }
    arguments.removeFirst()
    switch command {
    case "run": run(arguments)
    case "replay": replay(arguments)
    case "--help", "-h", "help": print(usage)
    default: stop("lossfuzz: unknown command \"\(command)\"\n\n\(usage)")
    }
  }

  static func stop(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(2)
  }

  // MARK: - Run

  static func run(_ arguments: [String]) {
    var chosen: [Subject] = []
    var seed: UInt64?
    var runs = Int.max
    var seconds: Double?
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { stop("lossfuzz: \(option) needs a value") }
      switch option {
      case "--loss":
        guard let subject = subjects.first(where: { $0.name == value }) else {
          stop("lossfuzz: no loss is named \"\(value)\"; `lossref list` names them all")
        }
        chosen.append(subject)
      case "--seed":
        guard let number = UInt64(value) else { stop("lossfuzz: --seed takes a whole number") }
        seed = number
      case "--runs":
        guard let number = Int(value), number > 0 else {
          stop("lossfuzz: --runs takes a positive whole number")
        }
        runs = number
      case "--time":
        guard let time = duration(value) else {
          stop("lossfuzz: --time takes seconds or minutes, as 30s or 5m")
        }
        seconds = time
      default: stop("lossfuzz: unknown option \"\(option)\"\n\n\(usage)")
      }
    }
    let start = seed ?? UInt64(Date().timeIntervalSince1970)
    let limit = seconds ?? (runs == .max ? 30 : .infinity)
    print("seed \(start)")
    let began = Date()
    let schedule = Schedule(
      chosen.isEmpty ? subjects : chosen, seed: start, rounds: runs,
      until: began.addingTimeInterval(limit))
    let workers = ProcessInfo.processInfo.activeProcessorCount
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while let draw = schedule.next() {
        let at = Date()
        guard let tally = draw.subject.judge(draw.draw) else { continue }
        report(tally, draw.draw)
        schedule.finished(draw.index, items: tally.items, seconds: Date().timeIntervalSince(at))
      }
    }
    let time = Date().timeIntervalSince(began)
    print(
      "\(schedule.items) items, at least \(schedule.draws) draws of each member, "
        + "\(String(format: "%.1f", time)) s: no claim broken")
  }

  static func duration(_ text: String) -> Double? {
    let factor = text.hasSuffix("m") ? 60.0 : 1
    let digits = text.hasSuffix("s") || text.hasSuffix("m") ? String(text.dropLast()) : text
    guard let number = Double(digits), number > 0, number.isFinite else { return nil }
    return number * factor
  }

  /// A member of the catalog, as the fuzzer sees it.
  struct Subject: Sendable {
    let name: String
    let configurations: [String]
    let strata: [String]
    let judge: @Sendable (Draw) -> Tally?

    /// Every configuration, stratum and precision once, in an order of the seed's.
    func cells(seed: UInt64) -> [Draw] {
      var random = SplitMix(seed: seed, name)
      return configurations.flatMap { configuration in
        strata.flatMap { stratum in
          Precision.allCases.map {
            Draw(
              loss: name, configuration: configuration, stratum: stratum, precision: $0, seed: seed)
          }
        }
      }.shuffled(using: &random)
    }
  }

  /// Hands out draws: the next is one of the member that has had the least time so far.
  final class Schedule: @unchecked Sendable {
    private struct Turn {
      let subject: Subject
      var cells: [Draw] = []
      var rounds = 0
      var draws = 0
      var seconds = 0.0
    }

    private let lock = NSLock()
    private var turns: [Turn]
    private let seed: UInt64
    private let rounds: Int
    private let end: Date
    private(set) var items = 0

    init(_ subjects: [Subject], seed: UInt64, rounds: Int, until end: Date) {
      turns = subjects.map { Turn(subject: $0) }
      self.seed = seed
      self.rounds = rounds
      self.end = end
    }

    func next() -> (index: Int, subject: Subject, draw: Draw)? {
      lock.lock()
      defer { lock.unlock() }
      let open = turns.indices.filter { !turns[$0].cells.isEmpty || turns[$0].rounds < rounds }
      guard Date() < end, let i = open.min(by: { turns[$0].seconds < turns[$1].seconds }) else {
        return nil
      }
      if turns[i].cells.isEmpty {
        turns[i].cells = turns[i].subject.cells(seed: seed &+ UInt64(turns[i].rounds))
        turns[i].rounds += 1
      }
      // What is in work counts a little, so that no two workers start on one member.
      turns[i].seconds += 1e-6
      return (i, turns[i].subject, turns[i].cells.removeLast())
    }

    func finished(_ index: Int, items: Int, seconds: Double) {
      lock.lock()
      defer { lock.unlock() }
      turns[index].draws += 1
      turns[index].seconds += seconds
      self.items += items
    }

    var draws: Int { turns.map(\.draws).min() ?? 0 }
  }

  static var subjects: [Subject] {
    catalog.map { subject($0) } + assignments.map { subject($0) } + objectives.map { subject($0) }
  }

  /// Eight items from a seed: a case is replayed as a whole, since order and neighbours are claims too.
  struct Draw: Sendable {
    let loss, configuration, stratum: String
    let precision: Precision
    let seed: UInt64

    var candidate: any Evaluator {
      precision == .float ? KernelEvaluator<Float>() : KernelEvaluator<Double>() as any Evaluator
    }

    var text: String { "\(loss)/\(configuration)/\(stratum)/\(precision.rawValue)/\(seed)" }
  }

  static func subject<E: CatalogEntry>(_ entry: E) -> Subject {
    typealias L = E.L
    return Subject(name: L.name, configurations: L.configurations.map(\.label), strata: L.strata) {
      draw in
      guard let chosen = L.configurations.first(where: { $0.label == draw.configuration }) else {
        return nil
      }
      let items = Verification.items(
        chosen, draw.stratum, count: 8, seed: draw.seed, precision: draw.precision)
      return check(
        draw.precision == .float ? chosen.loss.roundedToFloat : chosen.loss, items,
        candidate: draw.candidate, precision: draw.precision, thorough: 2)
    }
  }

  static func subject<O: Objective>(_: O.Type) -> Subject {
    Subject(name: O.name, configurations: O.configurations.map(\.label), strata: O.strata) { draw in
      guard let chosen = O.configurations.first(where: { $0.label == draw.configuration }) else {
        return nil
      }
      let scenes = Verification.scenes(
        chosen, draw.stratum, count: 1, seed: draw.seed, precision: draw.precision)
      return check(
        draw.precision == .float ? chosen.loss.roundedToFloat : chosen.loss, scenes,
        candidate: draw.candidate, precision: draw.precision, thorough: 1)
    }
  }

  static func subject<A: Assignment>(_: A.Type) -> Subject {
    Subject(name: A.name, configurations: A.configurations.map(\.label), strata: A.strata) { draw in
      guard draw.precision == .double,
        let chosen = A.configurations.first(where: { $0.label == draw.configuration })
      else { return nil }
      return check(
        chosen.loss,
        Verification.problems(chosen, draw.stratum, count: 8, seed: draw.seed))
    }
  }

  static func report(_ tally: Tally, _ draw: Draw) {
    guard let finding = tally.findings.first else { return }
    print(
      """
      \(draw.loss), \(draw.configuration), \(draw.stratum), \(draw.precision.rawValue):
      \(finding)
      replay: lossfuzz replay '\(draw.text)'
      """)
    exit(1)
  }

  // MARK: - Replay

  static func replay(_ arguments: [String]) {
    guard arguments.count == 1 else { stop(usage) }
    let parts = arguments[0].split(separator: "/", omittingEmptySubsequences: false).map(
      String.init)
    guard parts.count == 5, let precision = Precision(rawValue: parts[3]),
      let seed = UInt64(parts[4])
    else { stop("lossfuzz: a case is LOSS/CONFIGURATION/STRATUM/PRECISION/SEED") }
    let draw = Draw(
      loss: parts[0], configuration: parts[1], stratum: parts[2], precision: precision, seed: seed)
    guard let subject = subjects.first(where: { $0.name == draw.loss }) else {
      stop("lossfuzz: no loss is named \"\(draw.loss)\"")
    }
    guard subject.configurations.contains(draw.configuration) else {
      stop("lossfuzz: \(draw.loss) has no configuration \"\(draw.configuration)\"")
    }
    guard subject.strata.contains(draw.stratum), let tally = subject.judge(draw) else {
      stop("lossfuzz: \(draw.loss) has no stratum \"\(draw.stratum)\"")
    }
    report(tally, draw)
    print("\(tally.items) items: no claim broken")
  }
}
