using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Preprocessing;

public sealed class InputGeometryTests
{
    [Theory]
    [InlineData(ResizeMode.Stretch, 640, 480, 416, 416, 0, 0)]
    [InlineData(ResizeMode.LetterboxTopLeft, 640, 427, 416, 277, 0, 0)]
    [InlineData(ResizeMode.LetterboxTopLeft, 427, 640, 277, 416, 0, 0)]
    [InlineData(ResizeMode.LetterboxCenter, 640, 427, 416, 278, 0, 69)]
    [InlineData(ResizeMode.LetterboxCenter, 427, 640, 278, 416, 69, 0)]
    [InlineData(ResizeMode.LetterboxCenter, 100, 99, 416, 412, 0, 2)]
    [InlineData(ResizeMode.LetterboxTopLeft, 10000, 3, 416, 1, 0, 0)]
    public void Fits_as_the_model_families_do(ResizeMode resize, int width, int height, int fitWidth, int fitHeight, int left, int top)
    {
        var spec = new InputSpec { Width = 416, Height = 416, Resize = resize };
        Assert.Equal((fitWidth, fitHeight), spec.Fit(width, height));
        var geometry = InputGeometry.Of(spec, width, height);
        Assert.Equal((left, top), (geometry.OffsetX, geometry.OffsetY));
        Assert.Equal((width, height), (geometry.PictureWidth, geometry.PictureHeight));
    }

    [Fact]
    public void Limiting_side_is_exactly_that_of_the_input()
    {
        for (var side = 1; side < 5000; side++)
        {
            var spec = new InputSpec { Width = 416, Height = 416, Resize = ResizeMode.LetterboxTopLeft };
            Assert.Equal(416, spec.Fit(side, Math.Max(1, side / 2)).Width);
        }
    }

    [Fact]
    public void Small_pictures_keep_their_size_where_enlarging_is_off()
    {
        var spec = new InputSpec { Width = 416, Height = 416, Resize = ResizeMode.LetterboxCenter, Enlarge = false };
        Assert.Equal((100, 51), spec.Fit(100, 51));
        var geometry = InputGeometry.Of(spec, 100, 51);
        Assert.Equal((158f, 182f, 1f, 1f), (geometry.OffsetX, geometry.OffsetY, geometry.ScaleX, geometry.ScaleY));
    }

    [Fact]
    public void Boxes_map_back_to_the_picture_and_are_clipped_to_it()
    {
        var geometry = InputGeometry.Of(new() { Width = 416, Height = 416, Resize = ResizeMode.LetterboxCenter }, 832, 416);
        var (x1, y1, x2, y2) = geometry.ToPicture(10, 114, 30, 204);
        Assert.Equal((20f, 20f, 60f, 200f), (x1, y1, x2, y2));
        Assert.Equal((0f, 0f, 832f, 416f), geometry.ToPicture(-5, 20, 500, 400));
    }
}
