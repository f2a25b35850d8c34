import LossDefinitions

/// Everything that is claimed of a training objective, at some scenes.
///
/// For each scene: the candidate's terms, and its gradient in every head, lie within the objective's
/// bars of the reference in double-double, at the same decisions. For every `thorough`-th scene also:
/// the tape agrees with dual numbers and with finite differences, decisions frozen; every declared law
/// holds, on certified bounds of the reference and on the candidate's own output.
///
/// - Parameter scenes: heads that the precision holds exactly.
public func check<O: Objective>(
  _ objective: O, _ scenes: [Scene<O.Truths>], candidate: any Evaluator, precision: Precision,
  thorough: Int = 4, place: String = ""
) -> Tally {
  var tally = Tally()
  let judge = ObjectiveJudge(objective: objective, candidate: candidate, precision: precision)
  for (index, scene) in scenes.enumerated() {
    tally.items += 1
    let here = "\(place), scene \(index)"
    do {
      let decisions = try judge.accuracy(scene, here, &tally)
      guard index % thorough == 0 else { continue }
      judge.derivatives(scene, decisions, seed: index, here, &tally)
      judge.laws(scene, here, &tally)
    } catch {
      tally.fail("answer", here, "\(error)")
    }
  }
  return tally
}

private struct ObjectiveJudge<O: Objective> {
  let objective: O
  let candidate: any Evaluator
  let precision: Precision

  // MARK: Accuracy

  func accuracy(
    _ scene: Scene<O.Truths>, _ place: String, _ tally: inout Tally
  ) throws -> O.Decisions {
    try objective.check(scene.heads, scene.truths)
    let decisions = objective.decide(scene.heads, scene.truths)
    let heads = scene.heads.map { $0.map { DoubleDouble($0) } }
    let truth = objective.derivatives(heads, scene.truths, decisions)
    let answer = try candidate.evaluate(objective, scene)
    if answer.decisions != decisions {
      tally.fail("decisions", place, "other decisions than the reference's")
    }
    let names = objective.terms
    guard answer.terms.count == names.count, truth.terms.count == names.count else {
      tally.fail(
        "terms", place,
        "\(answer.terms.count) and \(truth.terms.count) terms; expected \(names.count)")
      return decisions
    }
    for (name, (got, want)) in zip(names, zip(answer.terms, truth.terms)) {
      let error = ulps(got, want, of: want)
      tally.sawValue(error, "\(place), \(name)")
      if !(error <= O.valueBar) {
        tally.fail(
          "term \(name)", place, "got \(got), truth \(want.hi): \(error) ulp, bar \(O.valueBar)")
      }
    }
    for (name, (got, want)) in zip(objective.heads, zip(answer.gradients, truth.gradients)) {
      guard got.shape == want.shape else {
        tally.fail("gradient of \(name)", place, "shape \(got.shape); expected \(want.shape)")
        continue
      }
      var scale = DoubleDouble(0)
      for component in want.data { scale = .max(scale, .abs(component)) }
      for k in got.data.indices {
        let error = ulps(got.data[k], want.data[k], of: scale)
        tally.sawGradient(error, "\(place), \(name)[\(k)]")
        if !(error <= O.gradientBar) {
          tally.fail(
            "gradient \(name)[\(k)]", place,
            "got \(got.data[k]), truth \(want.data[k].hi): \(error) ulp of the scale \(scale.hi), "
              + "bar \(O.gradientBar)")
        }
      }
    }
    return decisions
  }

  private func ulps(_ got: Double, _ want: DoubleDouble, of size: DoubleDouble) -> Double {
    if want.hi.isNaN || got.isNaN { return want.hi.isNaN && got.isNaN ? 0 : .infinity }
    if want.hi.magnitude > precision.greatest { return got == want.hi ? 0 : .infinity }
    return DoubleDouble.abs(DoubleDouble(got) - want).hi / precision.ulp(size)
  }

  // MARK: The reference against itself

  /// The tape against dual numbers along eight coordinates, and against central differences along
  /// four, and along four random directions of all of them.
  func derivatives(
    _ scene: Scene<O.Truths>, _ decisions: O.Decisions, seed: Int, _ place: String,
    _ tally: inout Tally
  ) {
    var random = SplitMix(seed: UInt64(seed), O.name)
    let heads = scene.heads.map { $0.map { DoubleDouble($0) } }
    let x = heads.flatMap(\.data)
    guard !x.isEmpty else { return }
    let gradient = objective.derivatives(heads, scene.truths, decisions).gradients.flatMap(\.data)
    var scale = Swift.max(precision.ulp(0), 0x1p-960)
    for component in gradient { scale = Swift.max(scale, component.hi.magnitude) }
    func total<S: Scalar>(_ flat: [S]) -> S {
      .sum(objective.reference(O.split(flat, like: heads), scene.truths, decisions))
    }

    let coordinates = Array(x.indices.shuffled(using: &random).prefix(8))
    var duals = x.map { Dual<DoubleDouble>(constant: $0) }
    for (direction, k) in coordinates.enumerated() {
      duals[k] = Dual(x[k], slopes: coordinates.indices.map { $0 == direction ? 1 : 0 })
    }
    let slopes = total(duals)
    for (direction, k) in coordinates.enumerated() {
      let dual = slopes.slope(direction)
      if !((dual - gradient[k]).hi.magnitude <= 0x1p-80 * scale) {
        tally.fail(
          "dual numbers", place, "slope \(k): \(dual.hi) by duals, \(gradient[k].hi) by the tape")
        return
      }
    }

    var directions = coordinates.prefix(4).map { [($0, DoubleDouble(1))] }
    for _ in 0..<4 { directions.append(x.indices.map { ($0, DoubleDouble(random.sign())) }) }
    for direction in directions {
      var slope = DoubleDouble(0)
      var size = 0.0
      for (k, sign) in direction {
        slope = slope + gradient[k] * sign
        size += gradient[k].hi.magnitude
      }
      let lines = Line(x, direction, total)
      let quotient = lines.central
      if (quotient.slope - slope).hi.magnitude <= 4 * quotient.error.hi + 0x1p-40 * size {
        continue
      }
      // Across a kink the slope lies between the one-sided ones.
      let sides = lines.oneSided
      let slack = DoubleDouble(0x1p-20 * size)
      if sides.lower - slack .< slope, slope .< sides.upper + slack { tally.kinks += 1; continue }
      tally.fail(
        "finite differences", place,
        "along \(direction.count == 1 ? "\(direction[0].0)" : "all coordinates"): "
          + "\(quotient.slope.hi) by differences, \(slope.hi) by the tape")
      return
    }
    tally.differences += 1
  }

  /// Differences of a function along a direction, its detached parts held at the base point.
  private struct Line {
    let value: (DoubleDouble) -> DoubleDouble
    private let step = DoubleDouble(0x1p-36)

    init(
      _ x: [DoubleDouble], _ direction: [(Int, DoubleDouble)],
      _ f: @escaping ([Nudge<DoubleDouble>]) -> Nudge<DoubleDouble>
    ) {
      value = { offset in
        var point = x.map { Nudge(base: $0, moved: $0) }
        for (k, sign) in direction {
          point[k] = Nudge(base: x[k], moved: x[k] + sign * offset)
        }
        return f(point).moved
      }
    }

    /// Extrapolated from a step and its half.
    var central: (slope: DoubleDouble, error: DoubleDouble) {
      let half = step * 0.5
      let (right, left) = (value(step), value(-step))
      let coarse = (right - left) / (2 * step)
      let fine = (value(half) - value(-half)) / step
      let change = (fine - coarse) / 3
      let rounding = (right.magnitude + left.magnitude) / step * DoubleDouble(0x1p-96)
      return (fine + change, change.magnitude + rounding)
    }

    var oneSided: (lower: DoubleDouble, upper: DoubleDouble) {
      let middle = value(0)
      let right = (value(step) - middle) / step
      let left = (middle - value(-step)) / step
      return (.min(left, right), .max(left, right))
    }
  }

  // MARK: Laws

  func laws(_ scene: Scene<O.Truths>, _ place: String, _ tally: inout Tally) {
    let oracle = CertifiedAnswers()
    let own = CandidateAnswers(candidate: candidate, precision: precision)
    for law in O.laws {
      for (who, answers) in [("reference", oracle as any ObjectiveAnswers), ("candidate", own)] {
        do {
          switch try law.check(objective, scene, answers) {
          case .holds: tally.lawsHeld += 1
          case .undecided: tally.lawsUndecided += 1
          case .refuted(let why): tally.fail("law \"\(law.statement)\" (\(who))", place, why)
          }
        } catch {
          tally.fail("law \"\(law.statement)\" (\(who))", place, "\(error)")
        }
      }
    }
  }
}

/// Bounds of the reference over intervals, and the tape's gradient in Double.
private struct CertifiedAnswers: ObjectiveAnswers {
  func terms<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>
  ) throws -> [Interval<DoubleDouble>] {
    try objective.check(scene.heads, scene.truths)
    let decisions = objective.decide(scene.heads, scene.truths)
    let heads = scene.heads.map { $0.map { Interval(DoubleDouble($0)) } }
    return objective.reference(heads, scene.truths, decisions)
  }

  func gradients<O: Objective>(_ objective: O, _ scene: Scene<O.Truths>) throws -> [Tensor] {
    try ReferenceEvaluator().evaluate(objective, scene).gradients
  }
}

/// A candidate's own terms, with their bar on either side, and its gradients.
private struct CandidateAnswers: ObjectiveAnswers {
  let candidate: any Evaluator
  let precision: Precision

  func terms<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>
  ) throws -> [Interval<DoubleDouble>] {
    try candidate.evaluate(objective, scene).terms.map { term in
      let point = DoubleDouble(term)
      let slack = DoubleDouble(O.valueBar * precision.ulp(point))
      return Interval(lower: point - slack, upper: point + slack)
    }
  }

  func gradients<O: Objective>(_ objective: O, _ scene: Scene<O.Truths>) throws -> [Tensor] {
    try candidate.evaluate(objective, scene).gradients
  }
}

/// Everything that is claimed of an assignment, on some problems: both versions give the same matching,
/// and every law holds for either.
public func check<A: Assignment>(
  _ assignment: A, _ problems: [A.Problem], place: String = ""
) -> Tally {
  var tally = Tally()
  for (index, problem) in problems.enumerated() {
    tally.items += 1
    let here = "\(place), problem \(index)"
    do {
      try assignment.check(problem)
    } catch {
      tally.fail("answer", here, "\(error)")
      continue
    }
    if assignment.reference(problem) != assignment.optimized(problem) {
      tally.fail("agreement", here, "the optimized matching is not the reference's")
    }
    for law in A.laws {
      let versions: [(String, (A, A.Problem) -> A.Matching)] = [
        ("reference", { $0.reference($1) }), ("optimized", { $0.optimized($1) }),
      ]
      for (who, solve) in versions {
        switch law.check(assignment, problem, solve) {
        case .holds: tally.lawsHeld += 1
        case .undecided: tally.lawsUndecided += 1
        case .refuted(let why): tally.fail("law \"\(law.statement)\" (\(who))", here, why)
        }
      }
    }
  }
  return tally
}
