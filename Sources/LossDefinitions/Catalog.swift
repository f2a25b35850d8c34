/// A loss and its kernels for one instruction set.
public protocol CatalogEntry: Sendable {
  associatedtype L: Loss
  var float: Kernel<L, Float> { get }
  var double: Kernel<L, Double> { get }
}

/// A loss's kernel over a batch: the weighted total over the normalizer; values and gradient go where
/// the batch says.
public typealias Kernel<L: Loss, Element: LaneElement> = @Sendable (L, Batch<Element>) -> Double

public struct Entry<L: Loss>: CatalogEntry {
  public let float: Kernel<L, Float>
  public let double: Kernel<L, Double>

  @usableFromInline init(float: @escaping Kernel<L, Float>, double: @escaping Kernel<L, Double>) {
    self.float = float
    self.double = double
  }
}

extension CatalogEntry {
  public var loss: L.Type { L.self }
}

/// Every loss, once. Tests, fuzzer, chapters, `verify`, `evaluate` and the tables read this list.
@inline(always)
func catalog<I: InstructionSet>(_: I.Type) -> [any CatalogEntry] {
  [
    Entry(IoU.self, I.self),
    Entry(GIoU.self, I.self),
    Entry(DIoU.self, I.self),
    Entry(CIoU.self, I.self),
    Entry(EIoU.self, I.self),
    Entry(ExtendedIoU.self, I.self),
    Entry(FocalEIoU.self, I.self),
    Entry(MPDIoU.self, I.self),
    Entry(PowerfulIoU.self, I.self),
    Entry(NWD.self, I.self),
    Entry(WiseIoU.self, I.self),
    Entry(SIoU.self, I.self),
    Entry(ShapeIoU.self, I.self),
    Entry(AlphaIoU.self, I.self),
    Entry(InnerIoU.self, I.self),
    Entry(FocalerIoU.self, I.self),
    Entry(BoundedIoU.self, I.self),
    Entry(ProbIoU.self, I.self),
    Entry(GWD.self, I.self),
    Entry(KLD.self, I.self),
    Entry(KFIoU.self, I.self),
    Entry(RotatedIoU.self, I.self),
    Entry(OKS.self, I.self),
    Entry(L1.self, I.self),
    Entry(MeanSquaredError.self, I.self),
    Entry(SmoothL1.self, I.self),
    Entry(Huber.self, I.self),
    Entry(LogCosh.self, I.self),
    Entry(BalancedL1.self, I.self),
    Entry(GHMR.self, I.self),
    Entry(BinaryCrossEntropy.self, I.self),
    Entry(BinaryCrossEntropyFromProbabilities.self, I.self),
    Entry(Focal.self, I.self),
    Entry(FocalStar.self, I.self),
    Entry(SparseSoftmaxCrossEntropy.self, I.self),
    Entry(SoftmaxCrossEntropy.self, I.self),
    Entry(CrossEntropyFromProbabilities.self, I.self),
    Entry(DistributionFocal.self, I.self),

    Entry(SoftIoU.self, I.self),
    Entry(WeightedIoU.self, I.self),
    Entry(Dice.self, I.self),
  ]
}

public let catalog: [any CatalogEntry] = catalog(Baseline.self)

/// Every matching of predictions to truths, once.
public let assignments: [any Assignment.Type] = [
  MaxIoU.self,
  MappedOverlap.self,
  BalancedSampling.self,
  TaskAligned.self,
  TOODAssignment.self,
  SimOTA.self,
  Hungarian.self,
  ProposalTargets.self,
  HardNegativeMining.self,
  FCOSPoints.self,
  ATSS.self,
]

/// Every training objective, once.
public let objectives: [any Objective.Type] = [
  PositiveNegative.self,
  YOLOv3.self,
  Darknet.self,
  YOLOv3GIoU.self,
  YOLOv3Squared.self,
  RPN.self,
  FastRCNN.self,
  DETR.self,
  MaskHead.self,
  MaskRCNN.self,
  YOLOv8.self,
  YOLOv8Segmentation.self,
  YOLOv8Pose.self,
  YOLOv8OBB.self,
  TOOD.self,
  CenterNet.self,
  YOLOX.self,
  RetinaNet.self,
  SSD.self,
  FCOS.self,
]

/// Every member of the three lists, in their order.
public let definitions: [any Definition.Type] =
  catalog.map { $0.loss } + assignments.map { $0 } + objectives.map { $0 }
