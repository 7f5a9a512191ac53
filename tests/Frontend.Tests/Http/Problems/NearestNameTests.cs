using Detection.Contracts.Messages;

namespace Detection.Frontend.Tests.Http.Problems;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["threshold", "model", "labels", "max", "iou", "timeout"];

    [Theory]
    [InlineData("treshold", "threshold")]
    [InlineData("THRESHOLDS", "threshold")]
    [InlineData("label", "labels")]
    [InlineData("modle", "model")]
    [InlineData("mxa", "max")]
    [InlineData("time_out", "timeout")]
    [InlineData("confidence", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void Nearest_name_is_found_when_few_letters_differ(string written, string? nearest)
    {
        Assert.Equal(nearest, NearestName.Of(written, Known));
    }

    [Fact]
    public void NearestName_without_names_or_for_a_long_text_is_null()
    {
        Assert.Null(NearestName.Of("model", []));
        Assert.Null(NearestName.Of(new string('a', 100_000), [new string('a', 100_000)]));
    }

    [Fact]
    public void Proposal_names_the_nearest_name_or_lists_a_limited_number()
    {
        Assert.Equal("Did you mean 'labels'?", NearestName.Proposal("label", Known));
        Assert.Equal("Known are threshold, model, labels, max, iou, timeout.", NearestName.Proposal("confidence", Known));
        Assert.Equal("Known are threshold, model and 4 more.", NearestName.Proposal("confidence", Known, 2));
    }
}
