import Dispatch
import LossDefinitions

/// One loss on trial.
struct Trial {
  let options: Conformance
  let subject: Subject
  let gradient: Bool
  let arithmetic: ArithmeticProbes
  private let known: [Item]
  private(set) var rounding: Rounding
  var report: ConformanceReport

  init(
    _ options: Conformance, _ subject: Subject, _ greeting: Greeting,
    _ arithmetic: ArithmeticProbes, known: [Item], isRecorded: Bool
  ) {
    self.known = known
    self.options = options
    self.subject = subject
    self.arithmetic = arithmetic
    gradient = greeting.gradient
    rounding = Rounding(options.format, flushes: arithmetic.flushes)
    report = ConformanceReport(
      selection: subject.selection, greeting: greeting, seed: options.seed,
      isStrict: options.isStrict, isRecorded: isRecorded)
  }

  mutating func run<I: Implementation>(
    _ implementation: inout I, progress: (Double) -> Void
  ) throws {
    if let why = try implementation.select(subject.selection) {
      report.verdict = .unsupported
      report.reason = why
      return
    }
    if let item = options.onlyItem {
      try judge(&implementation, [item.rounded(to: options.format)], "the case")
    } else {
      let few = subject.trialStrata.flatMap { subject.trialItems($0, 4, options.seed &+ 1) }
      let behaviour = try BehaviourProbes(
        &implementation, Array(few.prefix(64)), gradient: gradient,
        isPromised: report.greeting.deterministic)
      report.probes = arithmetic.probes + behaviour.probes
      let strata = subject.trialStrata
      let each = (options.cases + strata.count - 1) / strata.count
      for (i, stratum) in strata.enumerated() {
        try judge(&implementation, subject.trialItems(stratum, each, options.seed), stratum)
        progress(Double(i + 1) / Double(strata.count))
      }
      if !known.isEmpty, !report.isRecorded {
        try judge(&implementation, known, KnownFailures.stratum)
      }
      report.probes.append(precision())
    }
    try explain(&implementation)
    conclude()
  }

  // MARK: Judging

  /// Some of the items, with their answers.
  private(set) var seen: [(item: Item, answer: CaseAnswer)] = []

  private mutating func judge<I: Implementation>(
    _ implementation: inout I, _ items: [Item], _ name: String
  ) throws {
    var stratum = ConformanceReport.Stratum(name: name)
    // A few batches at a time bound the memory. The ones before are judged while the program answers.
    let chunk = 4096
    var before: Judging?
    for first in stride(from: 0, to: items.count, by: chunk) {
      let some = Array(items[first..<Swift.min(first + chunk, items.count)])
      var answers = try implementation.evaluate(some, gradient: gradient)
      if !subject.judgesGradients(of: name) { answers = answers.map(\.withoutGradient) }
      if let before { record(before, &stratum) }
      before = Judging(self, some, answers)
    }
    if let before { record(before, &stratum) }
    report.strata.append(stratum)
  }

  /// Items that are being judged in the background.
  private struct Judging {
    let items: [Item]
    let answers: [CaseAnswer]
    private let judgements = Locked<[Judgement?]>([])
    private let done = DispatchGroup()

    init(_ trial: Trial, _ items: [Item], _ answers: [CaseAnswer]) {
      self.items = items
      self.answers = answers
      DispatchQueue.global().async(group: done) { [judgements] in
        let found = trial.judgements(items, answers)
        judgements.update { $0 = found }
      }
    }

    /// Waits for them.
    var found: [Judgement?] {
      done.wait()
      return judgements.value
    }
  }

  private mutating func record(
    _ judging: Judging, _ stratum: inout ConformanceReport.Stratum
  ) {
    for ((item, answer), judgement) in zip(zip(judging.items, judging.answers), judging.found) {
      record(item, answer, judgement, &stratum)
    }
    if seen.count < 512 {
      seen += zip(judging.items, judging.answers).prefix(64).map { ($0, $1) }
    }
  }

  func judgements(_ items: [Item], _ answers: [CaseAnswer]) -> [Judgement?] {
    let results = Locked([Judgement?](repeating: nil, count: items.count))
    let part = 64
    let (subject, rounding) = (subject, rounding)
    DispatchQueue.concurrentPerform(iterations: (items.count + part - 1) / part) { k in
      let range = k * part..<Swift.min((k + 1) * part, items.count)
      let found = subject.judge(Array(items[range]), Array(answers[range]), rounding)
      results.update { $0.replaceSubrange(range, with: found) }
    }
    return results.value
  }

  private mutating func record(
    _ item: Item, _ answer: CaseAnswer, _ judgement: Judgement?,
    _ stratum: inout ConformanceReport.Stratum
  ) {
    stratum.items += 1
    switch answer {
    case .rejected(let why):
      stratum.rejected += 1
      find("an item of the domain is rejected", item, answer, stratum.name, detail: why)
    case .failed(let why):
      stratum.failed += 1
      find("the program fails", item, answer, stratum.name, detail: why)
    case .numbers:
      guard let judgement else { return }
      count(judgement, &stratum)
      var told: Set<String> = []
      for (k, reading) in judgement.readings.enumerated() {
        guard let what = fault(reading, k), told.insert(what).inserted else { continue }
        let quantity = k == 0 ? "value" : "gradient \(k - 1)"
        find(what, item, answer, stratum.name, quantity: quantity, reading: reading)
      }
    }
  }

  private func count(_ judgement: Judgement, _ stratum: inout ConformanceReport.Stratum) {
    switch judgement.placement {
    case .tight: stratum.tight += 1
    case .accurate: stratum.accurate += 1
    case .open: stratum.open += 1
    case .outside: stratum.outside += 1
    }
    if judgement.isKink { stratum.kinks += 1 }
    stratum.value.add(judgement.value)
    for reading in judgement.gradient { stratum.gradient.add(reading) }
    if judgement.readings.contains(where: \.got.isNaN) { stratum.nan += 1 }
    if let truth = judgement.value.band?.truth,
      subject.isSimilarity
        ? judgement.value.got > 1 && truth.upper.hi <= 1
        : judgement.value.got < 0 && truth.lower.hi >= 0
    {
      stratum.negative += 1
    }
    if judgement.value.placement != .open {
      stratum.worstValue = Swift.max(stratum.worstValue, judgement.value.halfWidths)
      stratum.worstValueUlps = Swift.max(stratum.worstValueUlps, judgement.value.ulps)
    }
    // Between the sides of a kink there is no one truth to be distant from.
    for reading in judgement.gradient
    where reading.placement != .open && (reading.band?.sides == nil) {
      stratum.worstGradient = Swift.max(stratum.worstGradient, reading.halfWidths)
      stratum.worstGradientUlps = Swift.max(stratum.worstGradientUlps, reading.ulps)
    }
  }

  /// What is wrong with a reading, in words that are the same for the same fault.
  func fault(_ reading: Reading, _ k: Int) -> String? {
    let name = k == 0 ? "the value" : "the gradient"
    switch reading.placement {
    case .tight, .open: return nil
    case .accurate: return options.isStrict ? "\(name) is outside the tight band" : nil
    case .outside:
      if reading.got.isNaN { return "\(name) is NaN" }
      if reading.got.isInfinite { return "\(name) is infinite" }
      return "\(name) is outside its band"
    }
  }

  private mutating func find(
    _ what: String, _ item: Item, _ answer: CaseAnswer, _ stratum: String, quantity: String = "",
    reading: Reading? = nil, detail: String = ""
  ) {
    var finding = ConformanceReport.Finding(
      what: what, strata: [(stratum, 1)], item: item, quantity: quantity, reading: reading,
      detail: detail, dialects: [], known: known(what, item, stratum), format: options.format,
      targetIsIndex: subject.targetIsIndex, answer: answer)
    let same = report.findings.firstIndex { $0.what == what && $0.known == finding.known }
    guard let same else {
      report.findings.append(finding)
      return
    }
    let earlier = report.findings[same]
    finding.strata = earlier.strata
    if let k = finding.strata.firstIndex(where: { $0.name == stratum }) {
      finding.strata[k].items += 1
    } else {
      finding.strata.append((stratum, 1))
    }
    if finding.complexity < earlier.complexity {
      report.findings[same] = finding
    } else {
      report.findings[same].strata = finding.strata
    }
  }

  /// The first entry that expects a failure; notes all of them.
  private mutating func known(
    _ what: String, _ item: Item, _ stratum: String
  ) -> KnownFailures.Entry? {
    guard !options.known.entries.isEmpty else { return nil }
    let place = subject.selection.place
    let text = ConformanceReport.caseText(item, options.format, subject.targetIsIndex)
    let matching = options.known.matches(
      KnownFailures.Place(stratum: "\(place)/\(stratum)", item: "\(place)/\(text)"), what)
    report.usedKnown.formUnion(matching)
    return matching.first.map { options.known.entries[$0] }
  }
}
