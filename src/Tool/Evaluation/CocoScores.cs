using System.Globalization;
using System.Text;

namespace Detection.Tool.Evaluation;

/// <summary>
/// The twelve numbers of the COCO evaluation, 0 to 1, or −1 without annotations of that kind. AP is the mean over the overlaps 0.50, 0.55, …, 0.95
/// (or the named one) and the classes; small is below 32² pixels, large above 96².
/// </summary>
/// <param name="Ap">Average precision.</param>
/// <param name="Ap50">At an overlap of 0.50.</param>
/// <param name="Ap75">At an overlap of 0.75.</param>
/// <param name="ApSmall">Of small objects.</param>
/// <param name="ApMedium">Of medium objects.</param>
/// <param name="ApLarge">Of large objects.</param>
/// <param name="Ar1">Average recall with 1 box per picture and class.</param>
/// <param name="Ar10">Average recall with 10.</param>
/// <param name="Ar100">Average recall with 100.</param>
/// <param name="ArSmall">Of small objects, with 100.</param>
/// <param name="ArMedium">Of medium objects, with 100.</param>
/// <param name="ArLarge">Of large objects, with 100.</param>
public sealed record CocoScores(
    double Ap,
    double Ap50,
    double Ap75,
    double ApSmall,
    double ApMedium,
    double ApLarge,
    double Ar1,
    double Ar10,
    double Ar100,
    double ArSmall,
    double ArMedium,
    double ArLarge)
{
    /// <summary>The table in the format of pycocotools.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        void Line(string kind, string shortKind, string overlap, string area, int boxes, double value) => text.Append(
            CultureInfo.InvariantCulture,
            $" {kind,-18} ({shortKind}) @[ IoU={overlap,-9} | area={area,6} | maxDets={boxes,3} ] = {value:0.000}\n");
        Line("Average Precision", "AP", "0.50:0.95", "all", 100, Ap);
        Line("Average Precision", "AP", "0.50", "all", 100, Ap50);
        Line("Average Precision", "AP", "0.75", "all", 100, Ap75);
        Line("Average Precision", "AP", "0.50:0.95", "small", 100, ApSmall);
        Line("Average Precision", "AP", "0.50:0.95", "medium", 100, ApMedium);
        Line("Average Precision", "AP", "0.50:0.95", "large", 100, ApLarge);
        Line("Average Recall", "AR", "0.50:0.95", "all", 1, Ar1);
        Line("Average Recall", "AR", "0.50:0.95", "all", 10, Ar10);
        Line("Average Recall", "AR", "0.50:0.95", "all", 100, Ar100);
        Line("Average Recall", "AR", "0.50:0.95", "small", 100, ArSmall);
        Line("Average Recall", "AR", "0.50:0.95", "medium", 100, ArMedium);
        Line("Average Recall", "AR", "0.50:0.95", "large", 100, ArLarge);
        return text.ToString();
    }
}
