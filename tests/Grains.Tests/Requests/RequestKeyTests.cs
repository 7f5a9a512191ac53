using Detection.Contracts.Requests;

namespace Detection.Grains.Tests.Requests;

public sealed class RequestKeyTests
{
    /// <summary>Results of different overlaps must not share a key, however little they differ.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(1f)]
    [InlineData(0.45f)]
    [InlineData(0.4504f)]
    [InlineData(0.00004f)]
    public void Parse_returns_the_key_that_ToString_wrote(float? iou)
    {
        var key = new RequestKey("model@0123456789ab", new string('a', RequestKey.ImageKeyLength), iou);

        Assert.Equal(key, RequestKey.Parse(key.ToString()));
    }
}
