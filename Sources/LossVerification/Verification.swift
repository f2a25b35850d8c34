import Dispatch
import Foundation
import LossDefinitions

/// What to verify: which members of the catalog, on how many items, from which seed.
public struct Verification: Sendable {
  /// Their names; empty means all.
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
  /// A scene of an objective takes the time of this many items of a loss, a problem of an assignment
  /// that of a tenth.
  static let itemsPerScene = 500
}

/// What was found of one member of the catalog: a row of the table.
public struct LossReport: Sendable, Codable {
  /// What kind of definition it is.
  public enum Kind: String, Sendable, Codable {
    case loss, assignment, objective
  }

  public let kind: Kind
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

  init(_ tally: Tally, _ bars: (value: Double, gradient: Double)) {
    items = tally.items
    valueBar = bars.value
    gradientBar = bars.gradient
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
  /// Judges every chosen member; `progress` hears the part that is done, between 0 and 1.
  public func run(progress: @escaping @Sendable (Double) -> Void = { _ in }) -> [LossReport] {
    let plans =
      (catalog.map { plan($0) } + assignments.map { plan($0) } + objectives.map { plan($0) })
      .filter { losses.isEmpty || losses.contains($0.name) }
    let jobs = plans.enumerated().flatMap { index, plan in
      plan.jobs.map { (plan: index, job: $0) }
    }
    let results = Locked([Tally?](repeating: nil, count: jobs.count))
    let finished = Locked(0)
    DispatchQueue.concurrentPerform(iterations: jobs.count) { i in
      let tally = jobs[i].job.run()
      results.update { $0[i] = tally }
      finished.update { done in
        done += 1
        progress(Double(done) / Double(jobs.count))
      }
    }
    // Merged in the order of the jobs, so that a report depends on the seed alone.
    var tallies = [(float: Tally, double: Tally)](
      repeating: (Tally(), Tally()), count: plans.count)
    for ((plan, job), tally) in zip(jobs, results.value) {
      guard let tally else { continue }
      if job.precision == .float {
        tallies[plan].float.merge(tally)
      } else {
        tallies[plan].double.merge(tally)
      }
    }
    return zip(plans, tallies).map { $0.report($1.float, $1.double) }
  }

  /// A member's work, and how its report is made of the results.
  private struct Plan: Sendable {
    let name: String
    let jobs: [Job]
    let report: @Sendable (Tally, Tally) -> LossReport
  }

  private struct Job: Sendable {
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

  private func plan<E: CatalogEntry>(_ entry: E) -> Plan {
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
            Job(precision: precision) {
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
    return Plan(name: L.name, jobs: jobs) { float, double in
      let bars = (value: L.valueBar, gradient: L.gradientBar)
      let each = n * L.configurations.count
      return LossReport(
        kind: .loss, loss: L.name, family: L.family.rawValue, chapter: L.chapter,
        configurations: L.configurations.count,
        strata: Dictionary(uniqueKeysWithValues: L.strata.map { ($0, each) }),
        float: PrecisionReport(float, bars), double: PrecisionReport(double, bars),
        laws: L.laws.map(\.statement))
    }
  }

  private func plan<O: Objective>(_: O.Type) -> Plan {
    let cells = O.strata.count * O.configurations.count
    let n = Swift.max(1, (cases / Self.itemsPerScene + cells - 1) / cells)
    var jobs: [Job] = []
    for configuration in O.configurations {
      for stratum in O.strata {
        for precision in Precision.allCases {
          let seed = self.seed
          let candidate = precision == .float ? float : double
          jobs.append(
            Job(precision: precision) {
              let single = precision == .float
              return check(
                single ? configuration.loss.roundedToFloat : configuration.loss,
                Self.scenes(
                  configuration, stratum, count: n, seed: seed, precision: precision),
                candidate: candidate, precision: precision,
                place: "\(configuration.label), \(stratum)")
            })
        }
      }
    }
    return Plan(name: O.name, jobs: jobs) { float, double in
      let bars = (value: O.valueBar, gradient: O.gradientBar)
      return LossReport(
        kind: .objective, loss: O.name, family: O.family.rawValue, chapter: O.chapter,
        configurations: O.configurations.count,
        strata: Dictionary(
          uniqueKeysWithValues: O.strata.map { ($0, n * O.configurations.count) }),
        float: PrecisionReport(float, bars), double: PrecisionReport(double, bars),
        laws: O.laws.map(\.statement))
    }
  }

  private func plan<A: Assignment>(_: A.Type) -> Plan {
    let cells = A.strata.count * A.configurations.count
    let n = Swift.max(4, (cases * 10 / Self.itemsPerScene + cells - 1) / cells)
    var jobs: [Job] = []
    for configuration in A.configurations {
      for stratum in A.strata {
        let seed = self.seed
        jobs.append(
          Job(precision: .double) {
            check(
              configuration.loss,
              Self.problems(configuration, stratum, count: n, seed: seed),
              place: "\(configuration.label), \(stratum)")
          })
      }
    }
    return Plan(name: A.name, jobs: jobs) { float, double in
      LossReport(
        kind: .assignment, loss: A.name, family: A.family.rawValue, chapter: A.chapter,
        configurations: A.configurations.count,
        strata: Dictionary(
          uniqueKeysWithValues: A.strata.map { ($0, n * A.configurations.count) }),
        float: PrecisionReport(float, (0, 0)), double: PrecisionReport(double, (0, 0)),
        laws: A.laws.map(\.statement))
    }
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

  /// A stratum's scenes under a configuration, the heads rounded to the precision.
  public static func scenes<O: Objective>(
    _ configuration: Configuration<O>, _ stratum: String, count: Int, seed: UInt64,
    precision: Precision
  ) -> [Scene<O.Truths>] {
    var random = SplitMix(seed: seed, O.name, configuration.label, stratum, precision.rawValue)
    return (0..<count).map { _ in
      var scene = configuration.loss.sample(stratum, using: &random)
      if precision == .float { scene.heads = scene.heads.map(\.roundedToFloat) }
      return scene
    }
  }

  /// A stratum's problems under a configuration.
  public static func problems<A: Assignment>(
    _ configuration: Configuration<A>, _ stratum: String, count: Int, seed: UInt64
  ) -> [A.Problem] {
    var random = SplitMix(seed: seed, A.name, configuration.label, stratum)
    return (0..<count).map { _ in configuration.loss.sample(stratum, using: &random) }
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
