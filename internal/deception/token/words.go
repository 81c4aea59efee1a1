package token

import "strings"

// words are what passwords are made of: five to eight letters, so that two of
// them and two digits are never shorter than a search window, and none of the
// words that lead the lists of leaked passwords.
var words = strings.Fields(`
acorn alcove almanac amber anchor anvil apricot arbor armoire aspen attic auburn awning badge
bailiff balcony ballast banyan barley basalt basin basket bayou beacon beaker bellows bessel birch biscuit
bobbin bolster bonnet borough boulder bramble brazier bridle brisket bronze bucket buffer bullion bunting burrow
cabbage cabinet cadence caliper canister canopy canvas caraway caravan carbon cardigan carton casement casket cavern
cedar cellar chalice chamber chapel chimney chisel cistern citadel clarinet clement clover cobalt cobble coffer
collier column compass conduit copper coral cornice cottage cotton courier crackle cradle cricket crocus crofter
cupola curlew cutlass cypress dahlia damask dapple delta derrick dervish dimple dinghy donjon dormer dowel
drawer drizzle dugout easel eddies ember emblem enamel epsilon errand estuary evening falcon fallow fathom
feather fennel ferret fescue fiddle filbert finch flagon flannel flint florin flotsam foghorn forge fountain
fresco furlong furnace gabled gallery gantry garnet garret gasket gazebo gimlet ginger girder glacier gondola
gosling granary granite gravel grebe grommet grotto gutter hamlet hammock hamper harness harrow hatchet hawser
hazel heather hedgerow hemlock heron hickory hinges hollow honeydew hopper hornet hummock icicle indigo inkwell
isthmus javelin jetsam jigsaw juniper kennel kernel kestrel kettle kiosk ladle lagoon lancet lantern larder
lattice laurel ledger lentil lichen lilac linden linnet lobelia locket lodge lumber mallard mallet mangle
mantel maple marble marrow marten meadow medlar millet minnow mitten molasses mortar mosaic muslin myrtle
nectar nettle nickel nimbus nutmeg oakum oarlock ocelot orchard osprey otter oxbow paddle pagoda palette
pantry parapet parsley parsnip pebble pelican pennant pewter piccolo pigment pillar pimento pinion pipette placard
plaster plover plumage poplar portico pottery poultice prairie prism pulley pumice quarry quartz quiver raccoon
rafter rambler rampart ratchet ravine redwood rigging rivet rosette rudder russet saffron sandbar satchel scabbard
scaffold schooner sconce scullery sedge sextant shale shingle shutter sickle signet skillet slalom sluice sorrel
spandrel spigot spindle spinet spruce starling stencil stirrup stucco sundial swallow tamarack tangent tannery tapestry
teapot tendril thicket thimble thistle timber tinder toggle topaz torrent towline trellis trestle trowel tundra
turbine turnip turret tussock umber valance vellum velvet veranda vessel viaduct village walnut warbler warren
wattle weaver wicket willow windlass wisteria woodbine yarrow zephyr zinnia
`)
