import LossVerification
import Testing

/// The GIoU loss of corner boxes as another package may have it: the code to be judged.
private func giou(_ p: [Float], _ t: [Float]) -> (value: Float, gradient: [Float]) {
  let (w, h) = (p[2] - p[0], p[3] - p[1])
  let iw = max(0, min(p[2], t[2]) - max(p[0], t[0]))
  let ih = max(0, min(p[3], t[3]) - max(p[1], t[1]))
  let (cw, ch) = (max(p[2], t[2]) - min(p[0], t[0]), max(p[3], t[3]) - min(p[1], t[1]))
  let intersection = iw * ih
  let union = w * h + (t[2] - t[0]) * (t[3] - t[1]) - intersection
  let hull = cw * ch
  let gradient = (0..<4).map { k -> Float in
    let sign: Float = k < 2 ? -1 : 1
    let isInside = k < 2 ? p[k] > t[k] : p[k] < t[k]
    let dI = isInside && intersection > 0 ? sign * (k % 2 == 0 ? ih : iw) : 0
    let dU = sign * (k % 2 == 0 ? h : w) - dI
    let dC = isInside ? 0 : sign * (k % 2 == 0 ? ch : cw)
    return (intersection * dU - dI * union) / (union * union)
      + (union * dC - dU * hull) / (hull * hull)
  }
  return (1 - intersection / union + (hull - union) / hull, gradient)
}

/// How a package verifies its own functions in a test: the first of these is all that it takes.
@Suite struct InProcessExampleTests {
  @Test func giouIsRight() throws {
    let report = try Conformance.verify("giou", cases: 400, giou)
    #expect(report.verdict == .conforms, "\(report)")
  }

  @Test func aWrongSignIsNot() throws {
    let report = try Conformance.verify("giou", cases: 100) { (p: [Float], t: [Float]) in
      let (value, gradient) = giou(p, t)
      return (value, gradient.map { -$0 })
    }
    #expect(report.verdict == .doesNotConform)
    #expect(report.description.contains("the gradient is outside its band"))
    #expect(report.probes.first { $0.name == "sums" }?.detail == "of 24 bits")
  }

  @Test func aFunctionMayHaveNoGradient() throws {
    let report = try Conformance.verify("l1", cases: 100) { (p: [Double], t: [Double]) in
      abs(p[0] - t[0])
    }
    #expect(report.verdict == .conforms, "\(report)")
    #expect(report.selection.format == .f64)
    #expect(report.strata.allSatisfy { $0.gradient.ulps.count == 0 })
  }

  private struct Refusal: Error {}

  @Test func whatCannotBeJudgedIsSaid() throws {
    let short = try Conformance.verify("giou", cases: 20) { (p: [Float], t: [Float]) in
      (giou(p, t).value, [Float](repeating: 0, count: 3))
    }
    #expect(short.verdict == .failed)
    let detail = short.findings.first?.detail
    #expect(detail == "the gradient has 3 numbers; 4 numbers were due")

    let refused = try Conformance.verify("giou", cases: 20) { (p: [Float], t: [Float]) -> Float in
      throw Refusal()
    }
    #expect(refused.findings.first?.detail == "Refusal()")
    #expect(refused.verdict == .doesNotConform)
    #expect(throws: Conformance.Unaskable.self) { try Conformance.verify("nothing", giou) }
  }
}
