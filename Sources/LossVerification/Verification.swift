import Dispatch
import Foundation
import LossDefinitions

/// What to verify: which losses, on how many items, from which seed.
public struct Verification: Sendable {
  /// The losses' names; empty means all.
  public var losses: Set<String> = []
  /// Items a loss in Float; Double gets a quarter of them.
  public var cases = 20_000
  public var seed: UInt64 = 1
  /// Of every this many items one is also held to the laws and to finite differences.
  public var thorough = 8
  public var float: any Evaluator = KernelEvaluator<Float>()
  public var double: any Evaluator = KernelEvaluator<Double>()

  public init() {}

  /// At least this many items in each stratum.
  public static let perStratum = 500
}

/// What was found of one loss: a row of the table.
public struct LossReport: Sendable, Codable {
  public let loss: String
  public let family: String
  public let chapter: String
  public let configurations: Int
  public let strata: [String: Int]
  public var float: PrecisionReport
  public var double: PrecisionReport
  public let laws: [String]

  public var holds: Bool { float.failures == 0 && double.failures == 0 }
}

/// The same in one precision.
public struct PrecisionReport: Sendable, Codable {
  public var items = 0
  public var valueBar = 0.0
  public var gradientBar = 0.0
  public var value = WorstCase()
  public var gradient = WorstCase()
  public var kinks = 0
  public var inconclusive = 0
  public var differences = 0
  public var lawsHeld = 0
  public var lawsUndecided = 0
  public var failures = 0
  public var findings: [String] = []

  public struct WorstCase: Sendable, Codable {
    public var ulps = 0.0
    public var place = ""
    public var prediction: [Double] = []
    public var target: [Double] = []
  }

  init<L: Loss>(_ tally: Tally, _: L.Type) {
    items = tally.items
    valueBar = L.valueBar
    gradientBar = L.gradientBar
    value = Self.worst(tally.worstValue)
    gradient = Self.worst(tally.worstGradient)
    kinks = tally.kinks
    inconclusive = tally.inconclusive
    differences = tally.differences
    lawsHeld = tally.lawsHeld
    lawsUndecided = tally.lawsUndecided
    failures = tally.failures
    findings = tally.findings.map(\.description)
  }

  private static func worst(_ worst: Tally.Worst) -> WorstCase {
    // JSON has no infinity: an answer that is wrong beyond measure is the largest number.
    WorstCase(
      ulps: Swift.min(worst.ulps, .greatestFiniteMagnitude), place: worst.place,
      prediction: worst.item?.prediction ?? [], target: worst.item?.target ?? [])
  }
}

extension Verification {
  /// Judges every chosen loss; `progress` hears the part that is done, between 0 and 1.
  public func run(progress: @escaping @Sendable (Double) -> Void = { _ in }) -> [LossReport] {
    let chosen = catalog.filter { losses.isEmpty || losses.contains($0.loss.name) }
    let jobs = chosen.enumerated().flatMap { index, entry in self.jobs(entry, index) }
    let results = Locked([Tally?](repeating: nil, count: jobs.count))
    let finished = Locked(0)
    DispatchQueue.concurrentPerform(iterations: jobs.count) { i in
      let tally = jobs[i].run()
      results.update { $0[i] = tally }
      finished.update { done in
        done += 1
        progress(Double(done) / Double(jobs.count))
      }
    }
    // Merged in the order of the jobs, so that a report depends on the seed alone.
    var tallies = [(float: Tally, double: Tally)](
      repeating: (Tally(), Tally()), count: chosen.count)
    for (job, tally) in zip(jobs, results.value) {
      guard let tally else { continue }
      if job.precision == .float {
        tallies[job.loss].float.merge(tally)
      } else {
        tallies[job.loss].double.merge(tally)
      }
    }
    return chosen.indices.map { report(chosen[$0], tallies[$0]) }
  }

  private struct Job: Sendable {
    let loss: Int
    let precision: Precision
    let run: @Sendable () -> Tally
  }

  /// Items a configuration and stratum get.
  private func count<L: Loss>(_: L.Type) -> Int {
    let strata = L.strata.count
    let configurations = L.configurations.count
    let each = (cases + strata * configurations - 1) / (strata * configurations)
    return Swift.max(each, (Self.perStratum + configurations - 1) / configurations)
  }

  private func jobs<E: CatalogEntry>(_ entry: E, _ index: Int) -> [Job] {
    typealias L = E.L
    let n = count(L.self)
    var jobs: [Job] = []
    for configuration in L.configurations {
      for stratum in L.strata {
        for precision in Precision.allCases {
          let count = precision == .float ? n : (n + 3) / 4
          let place = "\(configuration.label), \(stratum)"
          let seed = self.seed
          let thorough = self.thorough
          let candidate = precision == .float ? float : double
          jobs.append(
            Job(loss: index, precision: precision) {
              let loss =
                precision == .float ? configuration.loss.roundedToFloat : configuration.loss
              let items = Self.items(
                configuration, stratum, count: count, seed: seed, precision: precision)
              return check(
                loss, items, candidate: candidate, precision: precision, thorough: thorough,
                place: place)
            })
        }
      }
    }
    return jobs
  }

  /// A stratum's items under a configuration, rounded to the precision.
  public static func items<L: Loss>(
    _ configuration: Configuration<L>, _ stratum: String, count: Int, seed: UInt64,
    precision: Precision
  ) -> [Item] {
    var random = SplitMix(
      seed: seed, L.name, configuration.label, stratum, precision.rawValue)
    return (0..<count).map { _ in
      let item = configuration.loss.sample(stratum, using: &random)
      return precision == .float ? item.roundedToFloat : item
    }
  }

  private func report<E: CatalogEntry>(
    _ entry: E, _ tallies: (float: Tally, double: Tally)
  ) -> LossReport {
    typealias L = E.L
    let each = count(L.self) * L.configurations.count
    return LossReport(
      loss: L.name, family: L.family.rawValue, chapter: L.chapter,
      configurations: L.configurations.count,
      strata: Dictionary(uniqueKeysWithValues: L.strata.map { ($0, each) }),
      float: PrecisionReport(tallies.float, L.self),
      double: PrecisionReport(tallies.double, L.self), laws: L.laws.map(\.statement))
  }
}

/// A value behind a lock.
final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var stored: Value

  init(_ value: Value) { stored = value }

  func update(_ change: (inout Value) -> Void) {
    lock.lock()
    defer { lock.unlock() }
    change(&stored)
  }

  var value: Value {
    lock.lock()
    defer { lock.unlock() }
    return stored
  }
}
